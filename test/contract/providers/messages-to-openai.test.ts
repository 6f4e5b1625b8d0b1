import { describe, expect, test } from 'vitest'
import { completion, translateMessages } from './translated-messages.ts'

const user = { role: 'user', content: 'hi' }
const tools = [
  { name: 'find', description: 'finds', input_schema: { type: 'object', properties: { q: {} } } },
]
const schema = { type: 'object', properties: {}, additionalProperties: false }
const image = { type: 'base64', media_type: 'image/png', data: 'aGk=' }

const call = (id: string, input: object) => ({ type: 'tool_use', id, name: 'find', input })

const requests: { param: string; body: object; arrives: object; model?: string }[] = [
  {
    param: 'text, the model and the limit',
    body: {},
    arrives: { model: 'gpt-4', max_tokens: 99, messages: [user] },
  },
  {
    param: 'the limit, as reasoning models call it',
    body: {},
    arrives: { max_completion_tokens: 99 },
    model: 'gpt-5',
  },
  {
    param: 'system as text',
    body: { system: 'A' },
    arrives: { messages: [{ role: 'system', content: 'A' }, user] },
  },
  {
    param: 'system as blocks',
    body: {
      system: [
        { type: 'text', text: 'A', cache_control: { type: 'ephemeral' } },
        { type: 'text', text: 'B' },
      ],
    },
    arrives: { messages: [{ role: 'system', content: 'A\nB' }, user] },
  },
  {
    param: 'images and documents',
    body: {
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image', source: image },
            { type: 'image', source: { type: 'url', url: 'https://example.test/a.png' } },
            {
              type: 'document',
              title: 'a.pdf',
              source: { type: 'base64', media_type: 'application/pdf', data: 'aGk=' },
            },
            {
              type: 'document',
              title: 'T',
              source: { type: 'text', media_type: 'text/plain', data: 'plain' },
            },
          ],
        },
      ],
    },
    arrives: {
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image_url', image_url: { url: 'data:image/png;base64,aGk=' } },
            { type: 'image_url', image_url: { url: 'https://example.test/a.png' } },
            {
              type: 'file',
              file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,aGk=' },
            },
            { type: 'text', text: 'T\n\nplain' },
          ],
        },
      ],
    },
  },
  {
    param: 'tool calls and their results, errors and images among them, without earlier reasoning',
    body: {
      messages: [
        user,
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'hm', signature: 's' },
            { type: 'text', text: 'looking' },
            call('toolu_1', { q: 'x' }),
            call('toolu_2', {}),
            call('toolu_3', {}),
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'toolu_1', content: 'one' },
            { type: 'tool_result', tool_use_id: 'toolu_2', content: 'boom', is_error: true },
            { type: 'tool_result', tool_use_id: 'toolu_3', content: [{ type: 'image', source: image }] },
            { type: 'text', text: 'so?' },
          ],
        },
      ],
    },
    arrives: {
      messages: [
        user,
        {
          role: 'assistant',
          content: 'looking',
          tool_calls: [
            { id: 'toolu_1', type: 'function', function: { name: 'find', arguments: '{"q":"x"}' } },
            { id: 'toolu_2', type: 'function', function: { name: 'find', arguments: '{}' } },
            { id: 'toolu_3', type: 'function', function: { name: 'find', arguments: '{}' } },
          ],
        },
        { role: 'tool', tool_call_id: 'toolu_1', content: 'one' },
        { role: 'tool', tool_call_id: 'toolu_2', content: '{"error":"boom"}' },
        { role: 'tool', tool_call_id: 'toolu_3', content: 'The result is the image in the next message.' },
        {
          role: 'user',
          content: [
            { type: 'image_url', image_url: { url: 'data:image/png;base64,aGk=' } },
            { type: 'text', text: 'so?' },
          ],
        },
      ],
    },
  },
  {
    param: 'tools',
    body: { tools },
    arrives: {
      tools: [
        {
          type: 'function',
          function: { name: 'find', description: 'finds', parameters: tools[0]!.input_schema },
        },
      ],
    },
  },
  {
    param: 'tool_choice auto',
    body: { tools, tool_choice: { type: 'auto' } },
    arrives: { tool_choice: 'auto' },
  },
  {
    param: 'tool_choice none',
    body: { tools, tool_choice: { type: 'none' } },
    arrives: { tool_choice: 'none' },
  },
  {
    param: 'tool_choice any, one at a time',
    body: { tools, tool_choice: { type: 'any', disable_parallel_tool_use: true } },
    arrives: { tool_choice: 'required', parallel_tool_calls: false },
  },
  {
    param: 'tool_choice of one tool',
    body: { tools, tool_choice: { type: 'tool', name: 'find' } },
    arrives: { tool_choice: { type: 'function', function: { name: 'find' } } },
  },
  {
    param: 'temperature, top_p and stop_sequences',
    body: { temperature: 0.3, top_p: 0.4, stop_sequences: ['A', 'B'] },
    arrives: { temperature: 0.3, top_p: 0.4, stop: ['A', 'B'] },
  },
  {
    param: 'output_config',
    body: { output_config: { effort: 'low', format: { type: 'json_schema', schema } } },
    arrives: {
      reasoning_effort: 'low',
      response_format: { type: 'json_schema', json_schema: { schema, strict: true } },
    },
    model: 'gpt-5',
  },
]

describe('a message sent to OpenAI', () => {
  test.each(requests)('carries $param', async ({ body, arrives, model }) => {
    const { upstream, outcome } = await translateMessages(body, completion, model)
    expect(outcome).toMatchObject({ kind: 'answer', status: 200 })
    expect(upstream.arrivals[0]!.path).toBe('/v1/chat/completions')
    expect(upstream.body()).toMatchObject(arrives)
  })

  test.each(['openai-compatible', 'simulated'])('%s is reached the same way', async type => {
    const { upstream, json } = await translateMessages({}, completion, 'llama', type)
    expect(upstream.arrivals[0]!.path).toBe('/v1/chat/completions')
    expect(upstream.body()).toEqual({ model: 'llama', max_tokens: 99, messages: [user] })
    expect(json).toMatchObject({ type: 'message', model: 'llama' })
  })

  test('a request that cannot be put in the other format is rejected in its dialect and not sent', async () => {
    const { upstream, outcome } = await translateMessages({
      messages: [{ role: 'oracle', content: 'SECRET' }],
    })
    expect(outcome).toMatchObject({
      kind: 'answer',
      status: 400,
      json: { error: { type: 'invalid_request_error', code: 'untranslatable', param: null } },
    })
    expect(JSON.stringify(outcome)).not.toContain('SECRET')
    expect(upstream.arrivals).toEqual([])
  })
})
