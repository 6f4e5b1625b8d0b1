import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { describe, expect, test } from 'vitest'
import { startSim } from './provider-fixture.ts'

async function openAi(maxRetries = 0) {
  const sim = await startSim()
  return { sim, client: new OpenAI({ apiKey: 'sk-test', baseURL: `${sim.url}/v1`, maxRetries }) }
}

async function anthropic(maxRetries = 0) {
  const sim = await startSim()
  return { sim, client: new Anthropic({ apiKey: 'sk-test', baseURL: sim.url, maxRetries }) }
}

const messages = [{ role: 'user' as const, content: 'hello' }]

describe('official clients of the simulated provider', () => {
  test('the OpenAI client reads every kind of answer', async () => {
    const { client } = await openAi()
    const chat = await client.chat.completions.create({ model: 'gpt-4', messages })
    expect(chat.choices[0]?.message.content).toBe('echo: hello')
    expect(chat._request_id).toBe('req_sim1')
    expect((await client.responses.create({ model: 'gpt-4', input: 'hello' })).output_text).toBe(
      'echo: hello',
    )
    const text = await client.completions.create({ model: 'gpt-3.5-turbo-instruct', prompt: 'hello' })
    expect(text.choices[0]?.text).toBe('echo: hello')
    const { data } = await client.embeddings.create({ model: 'e', input: 'hello', dimensions: 4 })
    expect(data[0]?.embedding).toHaveLength(4)
    expect(Math.hypot(...data[0]!.embedding)).toBeCloseTo(1)
    expect((await client.models.list()).data.map(model => model.id)).toEqual(['sim-small', 'sim-large'])
  })

  test('the Anthropic client reads messages and models', async () => {
    const { client } = await anthropic()
    const message = await client.messages.create({ model: 'claude', max_tokens: 9, messages })
    expect(message.content).toEqual([{ type: 'text', text: 'echo: hello', citations: null }])
    expect(message._request_id).toBe('req_sim1')
    expect((await client.models.list()).data.map(model => model.id)).toEqual(['sim-small', 'sim-large'])
  })

  test.each([
    ['fail-400', OpenAI.BadRequestError, { code: 'invalid_type', param: 'temperature' }],
    ['context-too-long', OpenAI.BadRequestError, { code: 'context_length_exceeded' }],
    ['fail-401', OpenAI.AuthenticationError, { code: 'invalid_api_key', requestID: 'req_sim1' }],
    ['html-error', OpenAI.PermissionDeniedError, { code: undefined }],
    ['fail-404', OpenAI.NotFoundError, { code: 'model_not_found' }],
    ['fail-429', OpenAI.RateLimitError, { code: 'rate_limit_exceeded', type: 'requests' }],
    ['insufficient_quota', OpenAI.RateLimitError, { code: 'insufficient_quota' }],
    ['fail-500', OpenAI.InternalServerError, { status: 500 }],
    ['fail-502', OpenAI.InternalServerError, { status: 502 }],
    ['overloaded', OpenAI.InternalServerError, { status: 503, code: 'server_is_overloaded' }],
    ['reset', OpenAI.APIConnectionError, {}],
  ])('the OpenAI client raises its own error for %s', async (model, kind, facts) => {
    const { client } = await openAi()
    const error: unknown = await client.chat.completions.create({ model, messages }).catch(raised => raised)
    expect(error).toBeInstanceOf(kind)
    expect(error).toMatchObject(facts)
  })

  test.each([
    ['fail-400', Anthropic.BadRequestError, { type: 'invalid_request_error' }],
    ['insufficient_quota', Anthropic.BadRequestError, { type: 'invalid_request_error' }],
    ['fail-401', Anthropic.AuthenticationError, { type: 'authentication_error', requestID: 'req_sim1' }],
    ['fail-404', Anthropic.NotFoundError, { type: 'not_found_error' }],
    ['fail-429', Anthropic.RateLimitError, { type: 'rate_limit_error' }],
    ['fail-500', Anthropic.InternalServerError, { type: 'api_error' }],
    ['fail-502', Anthropic.InternalServerError, { status: 502 }],
    ['fail-503', Anthropic.InternalServerError, { status: 503, type: 'api_error' }],
    ['overloaded', Anthropic.InternalServerError, { status: 529, type: 'overloaded_error' }],
    ['reset', Anthropic.APIConnectionError, {}],
  ])('the Anthropic client raises its own error for %s', async (model, kind, facts) => {
    const { client } = await anthropic()
    const request = { model, max_tokens: 9, messages }
    const error: unknown = await client.messages.create(request).catch(raised => raised)
    expect(error).toBeInstanceOf(kind)
    expect(error).toMatchObject(facts)
  })

  test('both clients wait as long as a 429 asks and then succeed', async () => {
    const model = 'fail-429-20ms-then-ok'
    const { client, sim } = await openAi(1)
    expect((await client.chat.completions.create({ model, messages })).model).toBe(model)
    expect(sim.calls.outcomes).toEqual({ throttle: 1, ok: 1 })
    const other = await anthropic(1)
    expect((await other.client.messages.create({ model, max_tokens: 9, messages })).model).toBe(model)
    expect(other.sim.calls.outcomes).toEqual({ throttle: 1, ok: 1 })
  })
})
