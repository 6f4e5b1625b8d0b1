import { describe, expect, test } from 'vitest'
import { completion, completionOf, translateMessages } from './translated-messages.ts'

const tools = [{ name: 'find', input_schema: { type: 'object' } }]

describe("a message from OpenAI's answer", () => {
  test('answers with a whole message', async () => {
    expect((await translateMessages({})).json).toEqual({
      id: 'chatcmpl-1',
      type: 'message',
      role: 'assistant',
      model: 'gpt-4',
      content: [{ type: 'text', text: '4', citations: null }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      stop_details: null,
      container: null,
      diagnostics: null,
      usage: {
        input_tokens: 20,
        output_tokens: 2,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 0,
        cache_creation: null,
        inference_geo: null,
        output_tokens_details: null,
        server_tool_use: null,
        service_tier: null,
        speed: null,
      },
    })
  })

  describe('an answer', () => {
    const tool_calls = [
      { id: 'call_1', type: 'function', function: { name: 'find', arguments: '{"q":"x"}' } },
    ]

    test.each([
      ['stop', {}, 'end_turn'],
      ['length', {}, 'max_tokens'],
      ['content_filter', {}, 'refusal'],
      ['tool_calls', { content: null, tool_calls }, 'tool_use'],
      ['stop', { content: null, tool_calls }, 'tool_use'],
      ['stop', { content: null, refusal: 'no' }, 'refusal'],
    ])('that finished for %s with %j ended for %s', async (finish_reason, changes, stop_reason) => {
      expect((await translateMessages({ tools }, completionOf(changes, finish_reason))).json).toMatchObject({
        stop_reason,
      })
    })

    test('keeps texts and tool calls, with their input parsed', async () => {
      expect(
        (await translateMessages({ tools }, completionOf({ tool_calls }, 'tool_calls'))).json,
      ).toMatchObject({
        content: [
          { type: 'text', text: '4', citations: null },
          { type: 'tool_use', id: 'call_1', name: 'find', input: { q: 'x' }, caller: { type: 'direct' } },
        ],
      })
    })

    test('has the words of a refusal as its text', async () => {
      expect(
        (await translateMessages({}, completionOf({ content: null, refusal: 'I will not' }))).json,
      ).toMatchObject({
        content: [{ type: 'text', text: 'I will not' }],
      })
    })

    test('counts cached and reasoning tokens as Anthropic does', async () => {
      const usage = {
        prompt_tokens: 20,
        completion_tokens: 9,
        total_tokens: 29,
        prompt_tokens_details: { cached_tokens: 8, cache_write_tokens: 2 },
        completion_tokens_details: { reasoning_tokens: 6 },
      }
      expect((await translateMessages({}, { ...completion, usage })).json).toMatchObject({
        usage: {
          input_tokens: 10,
          cache_read_input_tokens: 8,
          cache_creation_input_tokens: 2,
          output_tokens: 9,
          output_tokens_details: { thinking_tokens: 6 },
        },
      })
    })

    test('without an id is given one', async () => {
      expect((await translateMessages({}, { ...completion, id: undefined })).json).toMatchObject({
        id: expect.stringMatching(/^msg_./),
      })
    })

    const cutCall = [{ ...tool_calls[0]!, function: { name: 'f', arguments: '{"city": "Par' } }]

    test('whose arguments the limit of length cut off keeps the call, and not half of its values', async () => {
      const { json, verdict } = await translateMessages(
        { tools },
        completionOf({ content: null, tool_calls: cutCall }, 'length'),
      )
      expect(json).toMatchObject({
        stop_reason: 'max_tokens',
        content: [{ type: 'tool_use', name: 'f', input: {} }],
      })
      expect(verdict).toMatchObject({ kind: 'ok', reason: 'length' })
    })

    test.each([
      ['with arguments that are no JSON', completionOf({ tool_calls: cutCall }, 'tool_calls'), 'malformed'],
      ['without choices', { ...completion, choices: [] }, 'malformed'],
      [
        'with content in a shape of its own',
        completionOf({ content: [{ type: 'x' }] as never }),
        'untranslatable',
      ],
      ['that ends with an error', completionOf({ content: 'Hal' }, 'error'), 'transient'],
      ['with an error beside it', { ...completion, error: { code: 429, message: 'slow' } }, 'rate_limited'],
    ] as const)('%s is judged as it came: %s', async (_case, reply, kind) => {
      const { outcome, verdict } = await translateMessages({ tools }, reply)
      expect(outcome).toMatchObject({ kind: 'answer', status: 200, text: JSON.stringify(reply) })
      expect(verdict.kind).toBe(kind)
    })
  })
})
