import { describe, expect, test } from 'vitest'
import { classify } from '../../../src/domain/classify/classify.ts'
import { usageOf } from '../../../src/domain/usage.ts'
import { nowMs } from './open-provider.ts'
import { callTurn, converse, responses, resultTurn, vendors } from './vendors/all.ts'
import { type Finish, usage } from './vendors/vendor.ts'

const first = { id: 'call_A.1', name: 'find', input: { q: 1 } }
const second = { id: 'call_B.2', name: 'look', input: {} }
const callItem = ({ id, name, input }: typeof first | typeof second) => ({
  ...{ type: 'function_call', call_id: id, name, arguments: JSON.stringify(input) },
})
const resultItem = ({ id }: { id: string }, output: string) => ({
  ...{ type: 'function_call_output', call_id: id, output },
})
const tool = (name: string) => ({
  ...{ type: 'function', name, description: 'd', strict: false },
  parameters: { type: 'object', properties: { q: {} } },
})
const user = { role: 'user', content: 'hi' }
const ends: Readonly<Record<Finish, object>> = {
  stop: { status: 'completed', incomplete_details: null },
  length: { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } },
  calls: { status: 'completed', incomplete_details: null },
  filter: { status: 'incomplete', incomplete_details: { reason: 'content_filter' } },
}

describe.each(vendors)('Responses translated for $name', vendor => {
  test('bring instructions and every turn, limits and sampling', async () => {
    const { seen, arrivals } = await converse(vendor, responses, {
      ...{ instructions: 'be brief', max_output_tokens: 7, temperature: 0.5, top_p: 0.5 },
      input: [
        { type: 'message', role: 'developer', content: [{ type: 'input_text', text: 'be kind' }] },
        user,
        {
          ...{ id: 'msg_1', type: 'message', role: 'assistant', status: 'completed' },
          content: [{ type: 'output_text', text: 'hello', annotations: [] }],
        },
        { role: 'user', content: [{ type: 'input_text', text: 'again' }] },
      ],
    })
    expect(arrivals.map(({ path }) => path)).toEqual([vendor.path])
    expect(seen).toMatchObject({
      ...{ system: 'be brief\nbe kind', turns: ['user: hi', 'assistant: hello', 'user: again'] },
      ...{ maxTokens: 7, temperature: 0.5, topP: 0.5 },
    })
  })

  test('bring tools, the calls of one turn, what was said beside them, and their results', async () => {
    const { seen } = await converse(vendor, responses, {
      ...{ tools: [tool('find'), tool('look')], tool_choice: 'required' },
      input: [
        user,
        { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'let me see' }] },
        ...[first, second].map(callItem),
        ...[resultItem(first, 'found'), resultItem(second, 'seen')],
        { role: 'user', content: 'so?' },
      ],
    })
    expect(seen).toMatchObject({ tools: ['find', 'look'], choice: 'required' })
    expect(seen?.turns).toEqual([
      'user: hi',
      'assistant: let me see',
      callTurn(vendor, first),
      callTurn(vendor, second),
      resultTurn(vendor, first, 'found'),
      resultTurn(vendor, second, 'seen'),
      'user: so?',
    ])
  })

  test('become a whole response', async () => {
    const asked = { instructions: 'be brief', tools: [tool('find')], tool_choice: 'auto', metadata: {} }
    const { json, outcome } = await converse(vendor, responses, asked)
    expect(json).toMatchObject({
      ...{ id: expect.stringMatching(/^resp_/), object: 'response', created_at: 1_765_000_000 },
      ...{ ...ends.stop, completed_at: 1_765_000_000, model: vendor.model, store: false, error: null },
      ...{ ...asked, temperature: 1, top_p: 1, parallel_tool_calls: true },
      output: [
        {
          ...{ id: expect.stringMatching(/^msg_/), type: 'message', role: 'assistant', status: 'completed' },
          content: [{ type: 'output_text', text: 'four', annotations: [], logprobs: [] }],
        },
      ],
      usage: { total_tokens: usage.input + usage.output },
    })
    expect(outcome.kind === 'answer' && JSON.parse(outcome.text)).toEqual(json)
    expect(usageOf(json)).toEqual({ input_tokens: usage.input, output_tokens: usage.output })
  })

  test.each(vendor.finishes)('say that the answer ended by %s', async finish => {
    const call = { id: 'abcDEF123', name: 'find', input: { q: 1 } }
    const said = finish === 'calls' ? { calls: [call], finish } : { text: 'four', finish }
    const { json, outcome, dialect } = await converse(vendor, responses, { tools: [tool('find')] }, said)
    expect(json).toMatchObject(ends[finish])
    if (finish === 'calls') {
      const call_id = vendor.byName ? expect.any(String) : call.id
      expect(json).toMatchObject({
        output: [{ type: 'function_call', status: 'completed', call_id, name: 'find', arguments: '{"q":1}' }],
      })
    }
    const verdict = classify(outcome, { endpoint: responses, dialect, nowMs })
    expect(verdict.kind).toBe(finish === 'filter' ? 'refused' : 'ok')
  })
})
