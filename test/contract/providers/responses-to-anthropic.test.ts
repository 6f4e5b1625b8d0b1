import { describe, expect, test } from 'vitest'
import { classify } from '../../../src/domain/classify/classify.ts'
import { nowMs, openProvider, openUpstream, requestOf } from './open-provider.ts'
import { answering } from './recording-upstream.ts'
import { message } from './translated-chat.ts'

const endpoint = '/v1/responses'
const model = 'claude-sonnet-4-5'
const user = { role: 'user', content: 'hi' }
const png = 'data:image/png;base64,iVBORw0KGgo='

const translate = async (body: object, reply: object = message) => {
  const upstream = await openUpstream(answering(200, reply))
  const provider = openProvider({ type: 'anthropic', base_url: upstream.url })
  const request = requestOf(endpoint, { model: 'route', input: 'hi', ...body }, { model })
  const outcome = await provider.call(request)
  return {
    arrives: upstream.arrivals.map(({ text }) => JSON.parse(text))[0],
    carriage: provider.carriage(endpoint, model, { input: 'hi', ...body }),
    outcome,
    verdict: classify(outcome, { endpoint, dialect: provider.dialect, nowMs }),
    json: outcome.kind === 'answer' ? (outcome.json as Record<string, unknown>) : outcome,
  }
}

const functions = [{ type: 'function', name: 'find', parameters: { type: 'object' }, strict: false }]
const call = { type: 'function_call', id: 'fc_1', call_id: 'toolu_1', name: 'find', arguments: '{"q":1}' }
const schema = {
  ...{ type: 'object', properties: { a: { type: 'string' } }, required: ['a'] },
  additionalProperties: false,
}

describe('a Responses request at Anthropic', () => {
  test('arrives with its images, PDFs, and images in the results of tools', async () => {
    const { arrives } = await translate({
      tools: functions,
      input: [
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'look' },
            { type: 'input_image', image_url: png },
            { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' },
          ],
        },
        call,
        {
          ...{ type: 'function_call_output', call_id: 'toolu_1' },
          output: [
            { type: 'input_text', text: 'found' },
            { type: 'input_image', image_url: png },
          ],
        },
      ],
    })
    const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } }
    expect(arrives.messages).toMatchObject([
      {
        role: 'user',
        content: [{ type: 'text', text: 'look' }, image, { type: 'document', title: 'a.pdf' }],
      },
      { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'find', input: { q: 1 } }] },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'toolu_1', content: expect.stringMatching(/^found\n/) },
          image,
        ],
      },
    ])
  })

  test.each([
    [
      'a forced tool',
      { tools: functions, tool_choice: { type: 'function', name: 'find' } },
      { tool_choice: { type: 'tool', name: 'find' } },
    ],
    [
      'one tool at a time',
      { tools: functions, parallel_tool_calls: false },
      { tool_choice: { disable_parallel_tool_use: true } },
    ],
    ['an effort', { reasoning: { effort: 'low', summary: 'auto' } }, { thinking: { type: 'enabled' } }],
    [
      'a JSON schema',
      { text: { format: { type: 'json_schema', name: 's', schema, strict: true } } },
      { output_config: { format: { type: 'json_schema', schema } } },
    ],
    [
      'JSON in words',
      { text: { format: { type: 'json_object' } } },
      { system: [{ text: 'Answer with one JSON object and nothing else.' }] },
    ],
    ['a user', { safety_identifier: 'u' }, { metadata: { user_id: 'u' } }],
  ])('arrives with %s', async (_, body, arriving) => {
    const { arrives, carriage } = await translate(body)
    expect(carriage).toEqual({ excluded: [], adjustments: [] })
    expect(arrives).toMatchObject(arriving)
  })

  test.each([
    ['a hosted tool', { tools: [{ type: 'web_search' }] }, ['tools']],
    ['a tool among hosted ones', { tools: [...functions, { type: 'mcp', server_label: 's' }] }, ['tools']],
    ['an earlier response', { previous_response_id: 'resp_1' }, ['previous_response_id']],
    ['a conversation', { conversation: 'conv_1' }, ['conversation']],
    ['a template', { prompt: { id: 'pmpt_1' } }, ['prompt']],
    ['logprobs', { include: ['message.output_text.logprobs'] }, ['include']],
    [
      'a call of a hosted tool',
      { input: [user, { type: 'web_search_call', id: 'ws_1' }] },
      ['input.web_search_call'],
    ],
    ['a reference', { input: [{ type: 'item_reference', id: 'msg_1' }] }, ['input.item_reference']],
    [
      'a stored file',
      { input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'f' }] }] },
      ['input.content.input_file.file_id'],
    ],
    ['an unknown role', { input: [{ role: 'critic', content: 'no' }] }, ['input.role']],
    ['an unknown field', { hologram: 1 }, ['hologram']],
  ])('is kept from there by %s', async (_, body, excluded) => {
    const { carriage, arrives, json } = await translate(body)
    expect(carriage.excluded).toEqual(excluded)
    expect(arrives).toBeUndefined()
    expect(json).toMatchObject({ error: { code: 'untranslatable' } })
  })

  test('that is in its format with nothing in it is refused in words', async () => {
    for (const body of [{ input: [] }, { input: 7 }, { instructions: ['a'] }]) {
      expect((await translate(body)).json).toMatchObject({ error: { code: 'untranslatable' } })
    }
  })
})

describe("a response from Anthropic's answer", () => {
  const content = [
    { type: 'thinking', thinking: 'hm', signature: 's' },
    { type: 'redacted_thinking', data: 'cmVk' },
    { type: 'text', text: 'a' },
    { type: 'text', text: 'b' },
    { type: 'tool_use', id: 'toolu_1', name: 'find', input: { q: 1 } },
  ]

  test('has reasoning, text and calls as items, which bring everything back in the next turn', async () => {
    const { json } = await translate({ tools: functions }, { ...message, content, stop_reason: 'tool_use' })
    const { output } = json as { output: object[] }
    expect(output).toMatchObject([
      { type: 'reasoning', summary: [{ type: 'summary_text', text: 'hm' }] },
      { type: 'reasoning', summary: [] },
      { type: 'message', status: 'completed', content: [{ type: 'output_text', text: 'ab' }] },
      { type: 'function_call', call_id: 'toolu_1', name: 'find', arguments: '{"q":1}' },
    ])
    const { arrives } = await translate({
      tools: functions,
      input: [user, ...output, { type: 'function_call_output', call_id: 'toolu_1', output: 'found' }],
    })
    expect(arrives.messages[1]).toEqual({
      role: 'assistant',
      content: [content[0], content[1], { type: 'text', text: 'ab' }, content[4]],
    })
  })

  test.each([
    ['max_tokens', 'incomplete', 'max_output_tokens', 'ok'],
    ['pause_turn', 'incomplete', 'max_output_tokens', 'ok'],
    ['refusal', 'incomplete', 'content_filter', 'refused'],
    ['end_turn', 'completed', undefined, 'ok'],
  ])('that ended for %s is %s', async (stop_reason, status, reason, kind) => {
    const { json, verdict } = await translate({}, { ...message, stop_reason })
    expect(json).toMatchObject({ status, incomplete_details: reason === undefined ? null : { reason } })
    expect((json as { output: unknown[] }).output).toMatchObject([{ status }])
    expect(verdict.kind).toBe(kind)
  })

  test('counts cached and reasoning tokens as OpenAI does', async () => {
    const usage = {
      ...{ input_tokens: 10, cache_read_input_tokens: 5, cache_creation_input_tokens: 2, output_tokens: 8 },
      output_tokens_details: { thinking_tokens: 6 },
    }
    expect((await translate({}, { ...message, usage })).json).toMatchObject({
      usage: {
        input_tokens: 17,
        input_tokens_details: { cached_tokens: 5, cache_write_tokens: 2 },
        output_tokens: 8,
        output_tokens_details: { reasoning_tokens: 6 },
        total_tokens: 25,
      },
    })
  })

  test.each([
    ['with nothing said', { ...message, content: [] }, 'ok'],
    ['that promises a call and has none', { ...message, content: [], stop_reason: 'tool_use' }, 'malformed'],
    ['with blocks that nobody knows', { ...message, content: [{ type: 'hologram' }] }, 'untranslatable'],
    ['that is no message', { another: 'server' }, 'transient'],
  ] as const)('%s is judged as it came: %s', async (_case, reply, kind) => {
    expect((await translate({}, reply)).verdict.kind).toBe(kind)
  })
})

test('a model behind openai-compatible is shown its own reasoning where it called tools', async () => {
  const upstream = await openUpstream(answering(200, {}))
  const provider = openProvider({ type: 'openai-compatible', base_url: `${upstream.url}/v1` })
  const reasoning = { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'hm' }] }
  const input = [user, reasoning, call, { type: 'function_call_output', call_id: 'toolu_1', output: '1' }]
  await provider.call(requestOf(endpoint, { model: 'm', input, tools: functions }))
  expect(upstream.body()).toMatchObject({ messages: [user, { reasoning_content: 'hm' }, { role: 'tool' }] })
})

test("OpenAI is sent neither another vendor's reasoning nor its signatures, and every other byte", async () => {
  const upstream = await openUpstream(answering(200, {}))
  const provider = openProvider({ type: 'openai', base_url: `${upstream.url}/v1` })
  const own = '{"type":"reasoning","encrypted_content":"gAAA", "n":1.0}'
  await provider.call(
    requestOf(
      endpoint,
      `{"model":"upstream-model","input":[{"type":"reasoning","encrypted_content":"baton-signed.s"},${own} , {"type":"reasoning","encrypted_content":"baton-unsigned"},{"type":"function_call","extra_content":{"google":{}},"name":"f"}]}`,
    ),
  )
  expect(upstream.arrivals[0]?.text).toBe(
    `{"model":"upstream-model","input":[${own},{"type":"function_call","name":"f"}]}`,
  )
})
