import { describe, expect, test } from 'vitest'
import { message, translateChat } from './translated-chat.ts'

const user = { role: 'user', content: 'hi' }
const function_ = {
  name: 'find',
  description: 'finds',
  parameters: { type: 'object', properties: { q: {} } },
}
const tools = [{ type: 'function', function: function_ }]
const schema = {
  type: 'object',
  properties: { a: { type: 'string' } },
  required: ['a'],
  additionalProperties: false,
}
const json_schema = { name: 'shape', strict: true, schema }

const requests: { param: string; body: object; arrives: object; model?: string }[] = [
  {
    param: 'text, the model and a default limit',
    body: {},
    arrives: {
      model: 'claude-3-sonnet',
      max_tokens: 4096,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }],
    },
  },
  { param: 'max_tokens', body: { max_tokens: 7 }, arrives: { max_tokens: 7 } },
  {
    param: 'max_completion_tokens before max_tokens',
    body: { max_tokens: 7, max_completion_tokens: 8 },
    arrives: { max_tokens: 8 },
  },
  {
    param: 'instructions, wherever they stand',
    body: {
      messages: [
        { role: 'system', content: 'A' },
        user,
        { role: 'developer', content: [{ type: 'text', text: 'B' }] },
      ],
    },
    arrives: {
      system: [{ type: 'text', text: 'A\nB' }],
      messages: [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }],
    },
  },
  {
    param: 'several turns, without empty texts',
    body: {
      messages: [
        user,
        { role: 'assistant', content: 'hello' },
        {
          role: 'user',
          content: [
            { type: 'text', text: '' },
            { type: 'text', text: 'bye' },
          ],
        },
      ],
    },
    arrives: {
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'hi' }] },
        { role: 'assistant', content: [{ type: 'text', text: 'hello' }] },
        { role: 'user', content: [{ type: 'text', text: 'bye' }] },
      ],
    },
  },
  {
    param: 'images and PDF files',
    body: {
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image_url', image_url: { url: 'data:image/webp;base64,aGk=', detail: 'auto' } },
            { type: 'image_url', image_url: { url: 'https://example.test/a.png?x=1' } },
            { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,aGk=' } },
          ],
        },
      ],
    },
    arrives: {
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image', source: { type: 'base64', media_type: 'image/webp', data: 'aGk=' } },
            { type: 'image', source: { type: 'url', url: 'https://example.test/a.png?x=1' } },
            {
              type: 'document',
              source: { type: 'base64', media_type: 'application/pdf', data: 'aGk=' },
              title: 'a.pdf',
            },
          ],
        },
      ],
    },
  },
  {
    param: 'tool calls and their results, as one turn each, with ids that Anthropic takes',
    body: {
      messages: [
        user,
        {
          role: 'assistant',
          content: 'looking',
          tool_calls: [
            { id: 'find:0', type: 'function', function: { name: 'find', arguments: '{"q":"x"}' } },
            { id: 'find:1', type: 'function', function: { name: 'find', arguments: '' } },
          ],
        },
        { role: 'tool', tool_call_id: 'find:0', content: 'one' },
        { role: 'tool', tool_call_id: 'find:1', content: [{ type: 'text', text: 'two' }] },
        { role: 'user', content: 'so?' },
      ],
    },
    arrives: {
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'hi' }] },
        {
          role: 'assistant',
          content: [
            { type: 'text', text: 'looking' },
            { type: 'tool_use', id: 'find_0', name: 'find', input: { q: 'x' } },
            { type: 'tool_use', id: 'find_1', name: 'find', input: {} },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'find_0', content: 'one' },
            { type: 'tool_result', tool_use_id: 'find_1', content: 'two' },
            { type: 'text', text: 'so?' },
          ],
        },
      ],
    },
  },
  {
    param: 'tools, also one without parameters',
    body: { tools: [...tools, { type: 'function', function: { name: 'stop' } }] },
    arrives: {
      tools: [
        { name: 'find', description: 'finds', input_schema: function_.parameters },
        { name: 'stop', input_schema: { type: 'object', properties: {} } },
      ],
    },
  },
  {
    param: 'tool_choice auto',
    body: { tools, tool_choice: 'auto' },
    arrives: { tool_choice: { type: 'auto' } },
  },
  {
    param: 'tool_choice required, one at a time',
    body: { tools, tool_choice: 'required', parallel_tool_calls: false },
    arrives: { tool_choice: { type: 'any', disable_parallel_tool_use: true } },
  },
  {
    param: 'tool_choice of one function',
    body: { tools, tool_choice: { type: 'function', function: { name: 'find' } } },
    arrives: { tool_choice: { type: 'tool', name: 'find' } },
  },
  { param: 'top_p', body: { top_p: 0.4 }, arrives: { top_p: 0.4 } },
  { param: 'stop as text', body: { stop: 'END' }, arrives: { stop_sequences: ['END'] } },
  { param: 'stop as a list', body: { stop: ['A', 'B'] }, arrives: { stop_sequences: ['A', 'B'] } },
  { param: 'user', body: { user: 'u1' }, arrives: { metadata: { user_id: 'u1' } } },
  {
    param: 'safety_identifier before user',
    body: { user: 'u1', safety_identifier: 's1' },
    arrives: { metadata: { user_id: 's1' } },
  },
  {
    param: 'json_object, as an instruction',
    body: { response_format: { type: 'json_object' } },
    arrives: { system: [{ type: 'text', text: 'Answer with one JSON object and nothing else.' }] },
  },
  {
    param: 'json_schema, to models with structured output',
    body: { response_format: { type: 'json_schema', json_schema } },
    arrives: { output_config: { format: { type: 'json_schema', schema } } },
    model: 'claude-sonnet-4-6',
  },
  {
    param: 'json_schema, as a tool to models without',
    body: { response_format: { type: 'json_schema', json_schema } },
    arrives: {
      tools: [{ name: 'json', input_schema: schema }],
      tool_choice: { type: 'any', disable_parallel_tool_use: true },
    },
  },
  {
    param: 'reasoning_effort',
    body: { reasoning_effort: 'low' },
    arrives: { thinking: { type: 'adaptive' }, output_config: { effort: 'low' } },
    model: 'claude-sonnet-4-6',
  },
]

describe('a chat completion sent to Anthropic', () => {
  test.each(requests)('carries $param', async ({ body, arrives, model }) => {
    const { upstream, outcome } = await translateChat(body, message, model)
    expect(outcome).toMatchObject({ kind: 'answer', status: 200 })
    expect(upstream.arrivals[0]!.path).toBe('/v1/messages')
    expect(upstream.body()).toMatchObject(arrives)
  })

  test('takes the limit from the config where the request names none', async () => {
    const { upstream } = await translateChat({}, message, 'claude-3-sonnet', {}, { maxOutputTokens: 1234 })
    expect(upstream.body()).toMatchObject({ max_tokens: 1234 })
  })

  test('joins the betas of the config with those that the request needs', async () => {
    const file = { file_data: 'data:application/pdf;base64,aGk=' }
    const messages = [{ role: 'user', content: [{ type: 'file', file }] }]
    const headers = { 'Anthropic-Beta': 'context-1m-2025-08-07' }
    const { upstream } = await translateChat({ messages }, message, 'claude-3-sonnet', { headers })
    const betas = String(upstream.arrivals[0]!.headers['anthropic-beta']).split(',')
    expect(betas.sort()).toEqual(['context-1m-2025-08-07', 'pdfs-2024-09-25'])
  })

  test.each([
    ['messages that are no list', { messages: 5 }],
    [
      'images where only the user may have them',
      {
        messages: [
          user,
          { role: 'assistant', content: [{ type: 'image_url', image_url: { url: 'https://SECRET.test' } }] },
        ],
      },
    ],
    ['a role that does not exist', { messages: [{ role: 'oracle', content: 'SECRET' }] }],
  ])('%s are rejected in the dialect of the provider and not sent', async (_case, body) => {
    const { upstream, outcome } = await translateChat(body)
    expect(outcome).toMatchObject({
      kind: 'answer',
      status: 400,
      json: { type: 'error', error: { type: 'invalid_request_error' }, request_id: null },
    })
    expect(JSON.stringify(outcome)).not.toContain('SECRET')
    expect(upstream.arrivals).toEqual([])
  })
})
