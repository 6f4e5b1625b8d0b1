import { describe, expect, test } from 'vitest'
import { minimalJson } from '../../src/sim/answer.ts'
import { ask, post, startSim } from './provider-fixture.ts'

const now = () => 1_765_000_100_000

describe('answers of the simulated provider', () => {
  test('a chat completion echoes the last user message and counts a token per four characters', async () => {
    const sim = await startSim({ now })
    const turn = (role: string, content: unknown) => ({ role, content })
    const messages = [turn('user', 'first'), turn('user', 'x'.repeat(70)), turn('assistant', 'no')]
    const request = JSON.stringify({ model: 'gpt-4', messages })
    const { text, headers } = await post(`${sim.url}/v1/chat/completions`, request)
    expect(headers.get('x-request-id')).toBe('req_sim1')
    const inputTokens = Math.ceil(request.length / 4)
    expect(JSON.parse(text)).toEqual({
      id: 'chatcmpl-sim1',
      object: 'chat.completion',
      created: 1_765_000_100,
      model: 'gpt-4',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: `echo: ${'x'.repeat(64)}`, refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: { prompt_tokens: inputTokens, completion_tokens: 18, total_tokens: inputTokens + 18 },
    })
  })

  test('an Anthropic message has every key that its clients know', async () => {
    const sim = await startSim()
    const content = [{ type: 'text', text: 'hel' }, { type: 'image' }, { type: 'text', text: 'lo' }]
    const request = JSON.stringify({ model: 'claude', max_tokens: 9, messages: [{ role: 'user', content }] })
    const { text, headers } = await post(`${sim.url}/v1/messages`, request)
    expect(headers.get('request-id')).toBe('req_sim1')
    expect(JSON.parse(text)).toEqual({
      id: 'msg_sim1',
      type: 'message',
      role: 'assistant',
      model: 'claude',
      content: [{ type: 'text', text: 'echo: hello', citations: null }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      stop_details: null,
      container: null,
      diagnostics: null,
      usage: {
        input_tokens: Math.ceil(request.length / 4),
        output_tokens: 3,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 0,
        cache_creation: null,
        inference_geo: null,
        output_tokens_details: null,
        server_tool_use: null,
        service_tier: 'standard',
        speed: null,
      },
    })
  })

  test.each([
    ['/v1/responses', { input: 'hello' }, ['output', 0, 'content', 0, 'text']],
    ['/v1/responses', { input: [{ role: 'user', content: 'hello' }] }, ['output', 0, 'content', 0, 'text']],
    ['/v1/completions', { prompt: 'hello' }, ['choices', 0, 'text']],
    ['/v1/completions', { prompt: ['hello'] }, ['choices', 0, 'text']],
  ])('%s echoes %j', async (path, more, where) => {
    const sim = await startSim()
    const { text } = await post(`${sim.url}${path}`, { model: 'm', ...more })
    expect(JSON.parse(text)).toHaveProperty(where, 'echo: hello')
  })

  test.each([
    ['/v1/chat/completions', ['choices', 0, 'message', 'content']],
    ['/v1/messages', ['content', 0, 'text']],
  ])('%s pads its answers to the bytes asked for', async (path, where) => {
    const sim = await startSim({ answerBytes: 4_096 })
    const { text } = await post(`${sim.url}${path}`, ask('m', 'ünïcode 🙂'))
    const body: unknown = JSON.parse(text)
    const answer = where.reduce<unknown>((value, key) => Reflect.get(value as object, key), body)
    expect(Buffer.byteLength(String(answer))).toBe(4_096)
    expect(answer).toMatch(/^echo: ünïcode 🙂\.\.\./)
  })

  test('a prompt that asks for a tool gets a call of the first one, in each format', async () => {
    const sim = await startSim()
    const parameters = { type: 'object', properties: {} }
    const prompt = 'please [[tool]]'
    const body = async (path: string, tools: unknown[], more = {}) =>
      JSON.parse((await post(`${sim.url}${path}`, ask('m', prompt, { tools, ...more }))).text)

    const chat = await body('/v1/chat/completions', [
      { type: 'function', function: { name: 'look', parameters } },
    ])
    expect(chat.choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { content: null } })
    expect(chat.choices[0].message.tool_calls).toEqual([
      { id: 'call_sim1', type: 'function', function: { name: 'look', arguments: '{}' } },
    ])
    const message = await body('/v1/messages', [{ name: 'look', input_schema: parameters }])
    expect(message.stop_reason).toBe('tool_use')
    expect(message.content).toEqual([
      { type: 'tool_use', id: 'toolu_sim2', caller: { type: 'direct' }, name: 'look', input: {} },
    ])
    const tools = [{ type: 'function', name: 'look', parameters }]
    const response = await body('/v1/responses', tools, { input: prompt })
    expect(response.output).toMatchObject([{ type: 'function_call', name: 'look', arguments: '{}' }])
    expect((await body('/v1/chat/completions', [])).choices[0].message.content).toBe('echo: please [[tool]]')
  })

  const schema = {
    type: 'object',
    required: ['name', 'count'],
    properties: { name: { type: 'string' }, count: { type: 'integer' }, more: { type: 'string' } },
  }

  test.each([
    ['/v1/chat/completions', { response_format: { type: 'json_object' } }, '{}'],
    [
      '/v1/chat/completions',
      { response_format: { type: 'json_schema', json_schema: { name: 'n', schema } } },
      '{"name":"","count":0}',
    ],
    ['/v1/responses', { text: { format: { type: 'json_schema', schema } } }, '{"name":"","count":0}'],
    ['/v1/messages', { output_config: { format: { type: 'json_schema', schema } } }, '{"name":"","count":0}'],
  ])('%s answers JSON where it is asked: %j', async (path, more, json) => {
    const sim = await startSim()
    const { text } = await post(`${sim.url}${path}`, ask('m', 'hi', more))
    expect(text).toContain(JSON.stringify(json))
  })

  test.each([
    [{ type: 'array', items: { type: 'string' } }, []],
    [{ enum: ['a', 'b'] }, 'a'],
    [{ const: 7 }, 7],
    [{ type: ['string', 'null'] }, ''],
    [{ anyOf: [{ type: 'boolean' }, { type: 'string' }] }, false],
    [{ type: 'object', required: ['in'], properties: { in: { type: 'null' } } }, { in: null }],
  ])('the smallest value of %j is %j', (shape, value) => {
    expect(minimalJson(shape)).toEqual(value)
  })

  test('embeddings are unit vectors that depend on the text alone, in both encodings', async () => {
    const sim = await startSim()
    const embed = async (more: object) =>
      JSON.parse((await post(`${sim.url}/v1/embeddings`, { model: 'm', ...more })).text).data
    const [a, b, again] = await embed({ input: ['a', 'b', 'a'], dimensions: 16 })
    expect(a.embedding).toHaveLength(16)
    expect(Math.hypot(...a.embedding)).toBeCloseTo(1)
    expect(again).toEqual({ ...a, index: 2 })
    expect(b.embedding).not.toEqual(a.embedding)
    const [coded] = await embed({ input: 'a', dimensions: 16, encoding_format: 'base64' })
    expect(Buffer.from(coded.embedding, 'base64')).toEqual(Buffer.from(Float32Array.from(a.embedding).buffer))
    expect(await embed({ input: [1, 2, 3] })).toHaveLength(1)
    expect(await embed({ input: [[1, 2], [3]] })).toHaveLength(2)
  })
})
