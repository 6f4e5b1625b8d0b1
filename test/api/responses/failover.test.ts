import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../../harness/until.ts'
import { answering } from '../../contract/providers/recording-upstream.ts'
import { type BatonApi, openBaton } from '../../support/open-baton.ts'
import { answers, openVendor, type Vendor } from '../../support/vendors.ts'

let first: Vendor
let claude: Vendor
let baton: BatonApi
let openai: OpenAI
beforeAll(async () => {
  first = await openVendor(answering(500, { error: { type: 'server_error', message: 'broken' } }))
  claude = await openVendor(answering(200, answers.message))
  const common = { retries: 0, breaker: { min_calls: 10_000, consecutive_failures: 10_000 }, api_key: 'k' }
  baton = await openBaton({
    level: 'api',
    config: {
      providers: {
        first: { ...common, type: 'openai', base_url: `${first.url}/v1` },
        claude: { ...common, type: 'anthropic', base_url: claude.url },
      },
      models: {
        gpt: { provider: 'first', fallback_to: 'claude' },
        claude: { provider: 'claude', upstream_model: 'claude-sonnet-4-5' },
      },
    },
  })
  openai = new OpenAI({ apiKey: 'k', baseURL: `${baton.url}/v1`, maxRetries: 0 })
})
afterAll(async () => {
  await baton.stop()
  await Promise.all([first.close(), claude.close()])
})
beforeEach(() => {
  for (const vendor of [first, claude]) vendor.forget()
})

const tools = [
  {
    ...{ type: 'function' as const, name: 'weather', strict: false },
    parameters: { type: 'object', properties: { city: { type: 'string' } } },
  },
]
const calling = {
  ...answers.message,
  content: [
    { type: 'thinking', thinking: 'hm', signature: 's' },
    { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Bonn' } },
  ],
  stop_reason: 'tool_use',
}

describe("OpenAI's client of Responses, whose provider is broken", () => {
  it('is answered by Claude', async () => {
    const { data, response } = await openai.responses
      .create({ model: 'gpt', instructions: 'be brief', input: 'hi' })
      .withResponse()
    expect(data).toMatchObject({ status: 'completed', instructions: 'be brief', error: null })
    expect(data.output_text).toBe('ho')
    expect(response.headers.get('x-baton-provider')).toBe('claude')
    expect([first.arrivals.length, claude.arrivals.length]).toEqual([1, 1])
  })

  it('goes through a loop with a tool', async () => {
    claude.answers(answering(200, calling))
    const input: OpenAI.Responses.ResponseInput = [{ role: 'user', content: 'the weather in Bonn?' }]
    const asked = await openai.responses.create({ model: 'gpt', tools, input })
    const call = asked.output.find(item => item.type === 'function_call')
    expect(call).toMatchObject({ name: 'weather', arguments: '{"city":"Bonn"}' })

    claude.answers(answering(200, answers.message))
    claude.forget()
    const result = { type: 'function_call_output' as const, call_id: call!.call_id, output: 'rain' }
    const told = await openai.responses.create({
      ...{ model: 'gpt', tools },
      input: [...input, ...(asked.output as OpenAI.Responses.ResponseInput), result],
    })
    expect(told.output_text).toBe('ho')
    expect(JSON.parse(claude.arrivals[0]!.text).messages.slice(1)).toEqual([
      { role: 'assistant', content: calling.content },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'rain' }] },
    ])
  })

  it('gets what it bound to a schema, parsed', async () => {
    claude.answers(answering(200, { ...answers.message, content: [{ type: 'text', text: '{"a":"b"}' }] }))
    const schema = {
      ...{ type: 'object', properties: { a: { type: 'string' } }, required: ['a'] },
      additionalProperties: false,
    }
    const format = { type: 'json_schema' as const, name: 's', strict: true, schema }
    const parsed = await openai.responses.parse({ model: 'gpt', input: 'hi', text: { format } })
    claude.answers(answering(200, answers.message))
    expect(JSON.parse(parsed.output_text)).toEqual({ a: 'b' })
  })

  it('is answered in the background, too', async () => {
    const { id } = await openai.responses.create({ model: 'gpt', input: 'hi', background: true })
    await until(async () => (await openai.responses.retrieve(id)).status === 'completed')
    const done = await openai.responses.retrieve(id)
    expect(done).toMatchObject({ id, background: true, output_text: 'ho' })
    expect(JSON.parse(first.arrivals[0]!.text)).toEqual({ model: 'gpt', input: 'hi' })
  })

  it.each([
    ['a hosted tool', { tools: [{ type: 'web_search' as const }] }, 'tools'],
    ['an earlier response', { previous_response_id: 'resp_1' }, 'previous_response_id'],
    ['a conversation', { conversation: 'conv_1' }, 'conversation'],
  ])('is refused in words where Claude alone is behind the model: %s', async (_, more, param) => {
    await expect(openai.responses.create({ model: 'claude', input: 'hi', ...more })).rejects.toMatchObject({
      ...{ status: 400, code: 'unsupported_parameter', param },
    })
    expect(claude.arrivals).toEqual([])
  })
})
