import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, chat, endJob, failure, openTestApi, submitJob, type TestApi } from '../test-api.ts'

let api: TestApi
beforeAll(async () => {
  api = await openTestApi({ config: { webhooks: { secret: `whsec_${'A'.repeat(32)}` } } })
})
afterAll(() => api[Symbol.asyncDispose]())

describe('POST /v1/jobs', () => {
  it('answers 202, Location and the queued job', async () => {
    const answer = await call(api, 'POST', '/v1/jobs', { body: { body: chat() } })
    const { id } = answer.json
    expect(answer.status).toBe(202)
    expect(answer.headers.get('location')).toBe(`/v1/jobs/${id}`)
    expect(answer.headers.get('x-request-id')).toMatch(/^req_[0-9a-f]{32}$/)
    expect(answer.json).toEqual({
      id: expect.stringMatching(/^job_[0-9a-z]{26}$/),
      object: 'job',
      status: 'queued',
      endpoint: '/v1/chat/completions',
      model: 'gpt-4',
      provider: 'openai',
      upstream_model: 'gpt-4',
      batch_id: null,
      priority: 'default',
      retry_of: null,
      created_at: expect.any(Number),
      started_at: null,
      finished_at: null,
      expires_at: answer.json.created_at + 86_400,
      resumes_at: null,
      estimated_completion_at: null,
      attempts: [],
      response: null,
      error: null,
      usage: null,
      cost_usd: null,
      webhook: null,
      metadata: {},
    })
  })

  it('keeps what the job was given, and the body as it was written', async () => {
    const body = { z: 1, ...chat('grüße'), temperature: 0.5 }
    const job = await submitJob(api, {
      body,
      endpoint: '/v1/messages',
      metadata: { user: 'ann' },
      completion_window: '90s',
      priority: 'high',
    })
    expect(job).toMatchObject({ endpoint: '/v1/messages', metadata: { user: 'ann' }, priority: 'high' })
    expect(job.expires_at - job.created_at).toBe(90)
    expect(await api.parts.store.readBody(job.id)).toBe(JSON.stringify(body))
  })

  it('keeps numbers, escapes and white space of a body that JSON.stringify would write otherwise', async () => {
    const body =
      '{ "model":"gpt-4", "messages":[{}], "seed":12345678901234567890, "top_p":1e400, "user":"\\u00e4" }'
    const { json } = await call(api, 'POST', '/v1/jobs', { body: `{"priority":"low", "body" : ${body}}` })
    expect(await api.parts.store.readBody(json.id)).toBe(body)
  })

  it('never shows a webhook secret', async () => {
    const secret = `whsec_${'B'.repeat(32)}`
    const job = await submitJob(api, { webhook: { url: 'https://192.0.1.1/hook', secret } })
    expect(job.webhook).toEqual({ url: 'https://192.0.1.1/hook', status: 'pending', attempts: 0 })
    expect((await api.parts.store.read(job.id))?.webhook?.secret).toBe(secret)
  })

  it('signs with the configured secret where the webhook has none', async () => {
    const job = await submitJob(api, { webhook: { url: 'https://192.0.1.1/hook' } })
    expect((await api.parts.store.read(job.id))?.webhook).toEqual({ url: 'https://192.0.1.1/hook' })
  })
})

describe('GET /v1/jobs/:id', () => {
  it('shows the result of a succeeded job', async () => {
    const { id } = await submitJob(api)
    await endJob(api, id, {
      refused: true,
      response: { statusCode: 200, body: '{"choices":[{"n":1}]}' },
    })
    const { json } = await call(api, 'GET', `/v1/jobs/${id}`)
    expect(json).toMatchObject({
      status: 'succeeded',
      provider: 'openai',
      upstream_model: 'gpt-4',
      response: { status_code: 200, body: { choices: [{ n: 1 }] } },
      usage: { input_tokens: 20, output_tokens: 2 },
      cost_usd: 0.00031,
      refused: true,
    })
    expect(json.attempts).toMatchObject([{ hop: 0, verdict: 'ok', started_at: 1_765_000_001.02 }])
    expect(Number.isInteger(json.started_at) && Number.isInteger(json.finished_at)).toBe(true)
  })

  it('shows an answer that is not JSON as text', async () => {
    const { id } = await submitJob(api)
    await endJob(api, id, { ...failure, response: { statusCode: 400, body: '<html>' } })
    const { json } = await call(api, 'GET', `/v1/jobs/${id}`)
    expect(json.response).toEqual({ status_code: 400, body: '<html>' })
    expect(json.error.code).toBe('attempts_exhausted')
  })

  it('names the provider whose answer won, although the job had moved on', async () => {
    const { id } = await submitJob(api)
    const claim = await api.parts.store.claim(id, 0, 0, 'slow')
    if (typeof claim === 'string') throw new Error(claim)
    const target = { provider: 'anthropic', model: 'claude-3' }
    await api.parts.store.advance(
      claim,
      { hop: 1, generation: 0, target, attemptsSpent: 0, attempts: [] },
      Date.now(),
    )
    const moved = await call(api, 'GET', `/v1/jobs/${id}`)
    expect(moved.json).toMatchObject({ provider: 'anthropic', upstream_model: 'claude-3' })
    const attempts = [
      {
        ...{ hop: 0, provider: 'openai', model: 'gpt-4', started_at: 1, duration_ms: 1, status_code: 200 },
        ...{ verdict: 'ok' as const, reason: 'ok', possibly_billed: false },
      },
    ]
    const rest = { error: null, refused: false, usage: null, costUsd: null }
    const response = { statusCode: 200, body: '{}' }
    await api.parts.store.finalise(claim, { status: 'succeeded', attempts, response, ...rest })
    const ended = await call(api, 'GET', `/v1/jobs/${id}`)
    expect(ended.json).toMatchObject({ status: 'succeeded', provider: 'openai', upstream_model: 'gpt-4' })
  })
})
