import { describe, expect, test } from 'vitest'
import { message, translateChat } from './translated-chat.ts'

const tools = [{ type: 'function', function: { name: 'find' } }]
const schema = {
  type: 'object',
  properties: { a: { type: 'string' } },
  required: ['a'],
  additionalProperties: false,
}
const json_schema = { name: 'shape', strict: true, schema }

describe("a chat completion from Anthropic's answer", () => {
  test('answers with a whole chat completion and the headers of the provider', async () => {
    const { outcome } = await translateChat({})
    const json = {
      id: 'msg_1',
      object: 'chat.completion',
      created: 1_765_000_000,
      model: 'claude-3-sonnet',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: '4', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: {
        prompt_tokens: 11,
        completion_tokens: 3,
        total_tokens: 14,
        prompt_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 0 },
      },
    }
    expect(outcome).toMatchObject({
      kind: 'answer',
      status: 200,
      headers: { 'anthropic-ratelimit-requests-remaining': '9' },
      json,
    })
    expect(outcome.kind === 'answer' && JSON.parse(outcome.text)).toEqual(json)
  })

  describe('an answer', () => {
    test.each([
      ['end_turn', 'stop'],
      ['stop_sequence', 'stop'],
      ['pause_turn', 'length'],
      ['max_tokens', 'length'],
      ['model_context_window_exceeded', 'length'],
      ['tool_use', 'tool_calls'],
      ['refusal', 'content_filter'],
    ])('that ended for %s finished for %s', async (stop_reason, finish_reason) => {
      expect((await translateChat({}, { ...message, stop_reason })).json).toMatchObject({
        choices: [{ finish_reason }],
      })
    })

    test('keeps tool calls, joins texts, and has reasoning beside them', async () => {
      const content = [
        { type: 'thinking', thinking: 'hm', signature: 's' },
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
        { type: 'tool_use', id: 'toolu_1', name: 'find', input: { q: 'x' } },
      ]
      const { json } = await translateChat({ tools }, { ...message, content, stop_reason: 'tool_use' })
      const call = { id: 'toolu_1', type: 'function', function: { name: 'find', arguments: '{"q":"x"}' } }
      expect(json).toMatchObject({
        choices: [
          {
            message: {
              role: 'assistant',
              content: 'ab',
              reasoning_content: 'hm',
              thinking_blocks: [content[0]],
              tool_calls: [call],
            },
          },
        ],
      })
    })

    test('of tool calls alone has null as its content', async () => {
      const content = [{ type: 'tool_use', id: 'toolu_1', name: 'find', input: {} }]
      const { json } = await translateChat({ tools }, { ...message, content, stop_reason: 'tool_use' })
      expect(json).toMatchObject({ choices: [{ message: { content: null } }] })
    })

    test('given through the JSON tool is the text that was asked for', async () => {
      const content = [{ type: 'tool_use', id: 'toolu_1', name: 'json', input: { a: 'b' } }]
      const body = { response_format: { type: 'json_schema', json_schema } }
      const { json } = await translateChat(body, { ...message, content, stop_reason: 'tool_use' })
      expect(json).toMatchObject({ choices: [{ message: { content: '{"a":"b"}' }, finish_reason: 'stop' }] })
    })

    test('counts cached and reasoning tokens as OpenAI does', async () => {
      const usage = {
        input_tokens: 10,
        cache_read_input_tokens: 5,
        cache_creation_input_tokens: 2,
        output_tokens: 8,
        output_tokens_details: { thinking_tokens: 6 },
      }
      expect((await translateChat({}, { ...message, usage })).json).toMatchObject({
        usage: {
          prompt_tokens: 17,
          completion_tokens: 8,
          total_tokens: 25,
          prompt_tokens_details: { cached_tokens: 5, cache_write_tokens: 2 },
          completion_tokens_details: { reasoning_tokens: 6 },
        },
      })
    })

    test.each([
      ['with nothing said', { ...message, content: [] }, 'ok'],
      ['with blocks that nobody knows', { ...message, content: [{ type: 'hologram' }] }, 'untranslatable'],
      ['that is no message', { another: 'server' }, 'transient'],
      ['with an error', { type: 'error', error: { type: 'overloaded_error', message: 'No.' } }, 'overloaded'],
    ] as const)('%s is judged as it came: %s', async (_case, reply, kind) => {
      const { outcome, verdict } = await translateChat({}, reply)
      expect(outcome).toMatchObject({ kind: 'answer', status: 200 })
      expect(verdict.kind).toBe(kind)
    })
  })
})
