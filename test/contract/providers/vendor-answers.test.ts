import { describe, expect, test } from 'vitest'
import { classify } from '../../../src/domain/classify/classify.ts'
import { usageOf } from '../../../src/domain/usage.ts'
import { nowMs } from './open-provider.ts'
import { chats, converse, messages, vendors } from './vendors/all.ts'
import type { Finish, Said } from './vendors/vendor.ts'
import { usage } from './vendors/vendor.ts'

const call = { id: 'abcDEF123', name: 'find', input: { q: 1 } }
const tools = [{ type: 'function', function: { name: 'find' } }]

const chatEnds: Readonly<Record<Finish, string>> = {
  stop: 'stop',
  length: 'length',
  calls: 'tool_calls',
  filter: 'content_filter',
}
const messageEnds: Readonly<Record<Finish, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  calls: 'tool_use',
  filter: 'refusal',
}
const saidAt = (finish: Finish): Said =>
  finish === 'calls' ? { calls: [call], finish } : { text: 'four', finish }

describe.each(vendors)('an answer of $name', vendor => {
  test('becomes a whole chat completion', async () => {
    const { json, outcome } = await converse(vendor, chats, {})
    expect(json).toEqual({
      id: expect.any(String),
      object: 'chat.completion',
      created: 1_765_000_000,
      model: vendor.model,
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'four', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: expect.objectContaining({ total_tokens: usage.input + usage.output }),
    })
    expect(outcome.kind === 'answer' && JSON.parse(outcome.text)).toEqual(json)
    expect(usageOf(json)).toEqual({ input_tokens: usage.input, output_tokens: usage.output })
  })

  test('becomes a whole message', async () => {
    const { json } = await converse(vendor, messages, {})
    expect(json).toMatchObject({
      type: 'message',
      role: 'assistant',
      model: vendor.model,
      content: [{ type: 'text', text: 'four' }],
      stop_reason: 'end_turn',
    })
    expect(usageOf(json)).toEqual({ input_tokens: usage.input, output_tokens: usage.output })
  })

  test.each(vendor.finishes)('that ended by %s says so', async finish => {
    const said = saidAt(finish)
    const chat = await converse(vendor, chats, { tools }, said)
    expect(chat.json).toMatchObject({ choices: [{ finish_reason: chatEnds[finish] }] })
    const message = await converse(
      vendor,
      messages,
      { tools: [{ name: 'find', input_schema: { type: 'object' } }] },
      said,
    )
    expect(message.json).toMatchObject({ stop_reason: messageEnds[finish] })
    const verdict = classify(chat.outcome, { endpoint: chats, dialect: chat.dialect, nowMs })
    expect(verdict.kind).toBe(finish === 'filter' ? 'refused' : 'ok')
  })

  test('keeps tool calls', async () => {
    const { json } = await converse(vendor, chats, { tools }, { calls: [call], finish: 'calls' })
    expect(json).toMatchObject({
      choices: [
        {
          message: {
            content: null,
            tool_calls: [
              {
                id: vendor.byName ? expect.stringMatching(/./) : call.id,
                type: 'function',
                function: { name: 'find', arguments: '{"q":1}' },
              },
            ],
          },
        },
      ],
    })
  })
})
