import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, endJob, failure, openTestApi, submitJob, type TestApi } from '../test-api.ts'

const keys = { owner: 'submit', other: 'submit', operator: 'operator' }
const api_keys = Object.entries(keys).map(([name, role]) => ({ key: name, tenant: name, role }))

let api: TestApi
beforeAll(async () => {
  api = await openTestApi({ config: { api_keys } })
})
afterAll(() => api[Symbol.asyncDispose]())

const as = (key: string) => ({ headers: { authorization: `Bearer ${key}` } })
const view = (id: string, key: string) => call(api, 'GET', `/v1/jobs/${id}?view=operator`, as(key))

describe('GET /v1/jobs/:id?view=operator', () => {
  it('shows the job of any tenant without its response, and tells its story in parts', async () => {
    const { id } = await submitJob(api, { metadata: { team: 'a' } }, as('owner'))
    const waiting = (await view(id, 'operator')).json
    expect(waiting).toMatchObject({
      ...{ id, tenant: 'owner', custom_id: null, line: null, status: 'queued', moves_cut: false },
      ...{ metadata: { team: 'a' } },
    })
    expect(waiting).not.toHaveProperty('response')
    expect(waiting.explained.waits[0]).toMatch(/^in the queue of openai, where 1 job waits/)

    await endJob(api, id)
    const { response, ...job } = (await call(api, 'GET', `/v1/jobs/${id}`, as('owner'))).json
    expect(response.status_code).toBe(200)
    const { explained, tenant, custom_id, line, moves_cut, ...rest } = (await view(id, 'operator')).json
    const { times_ms, ...shown } = rest
    expect(shown).toEqual(job)
    const seconds = Object.fromEntries(
      Object.entries(times_ms).map(([name, ms]) => [`${name}_at`, ms && Math.floor(Number(ms) / 1_000)]),
    )
    expect(job).toMatchObject(seconds)
    expect(explained.waits).toBeNull()
    expect(explained.steps[0]).toEqual({
      at: job.created_at,
      of: null,
      parts: [
        'accepted for gpt-4 (/v1/chat/completions), to be answered by ',
        { time: job.expires_at, as: 'full' },
      ],
    })
    const call0 = explained.steps.find((step: { of: unknown }) => step.of !== null)
    expect(call0).toMatchObject({
      of: { attempt: 0 },
      parts: ['asked ', { target: 'openai/gpt-4' }, expect.stringContaining(': 200 after')],
    })
  })

  it('leaves out what a provider says of the request, which may quote it, unless content may be shown', async () => {
    const called = (hop: number, verdict: 'rejected' | 'overloaded', status: number, message: string) => ({
      ...{ hop, provider: 'openai', model: 'gpt-4', started_at: 1_765_000_001 + hop, duration_ms: 9 },
      ...{ status_code: status, verdict, reason: `http_${status}`, possibly_billed: false },
      ...{ key: 'abcd1234', claimed_at: 1_765_000_000 + hop },
      error: { code: `http_${status}`, message },
    })
    const quote = 'Invalid text: “my secret”'
    const attempts = [called(0, 'overloaded', 503, 'We are down.'), called(1, 'rejected', 400, quote)]
    const error = { code: 'upstream_rejected' as const, message: 'The provider rejects the request.' }
    const fail = async (at: TestApi): Promise<string> => {
      const { id } = await submitJob(at, {}, as('owner'))
      await endJob(at, id, { ...failure, attempts, error })
      return id
    }
    const id = await fail(api)
    const { text, json } = await view(id, 'operator')
    expect(text).not.toContain('secret')
    expect(text).toContain('We are down.')
    expect(json.attempts[1]).toMatchObject({ key: 'abcd1234', claimed_at: 1_765_000_001 })
    expect(json.error).toMatchObject({ code: 'upstream_rejected', last_error: { code: 'http_400' } })
    expect(json.error.message).toContain('answered 400 (http_400): (hidden')
    const list = (key: string, query = '') => api.app.inject({ url: `/v1/jobs${query}`, ...as(key) })
    expect((await list('operator', '?tenant=owner')).body).not.toContain('secret')
    expect((await list('owner')).body).toContain('secret')

    await using open = await openTestApi({ config: { api_keys, ui: { show_content: true } } })
    const shown = await call(open, 'GET', `/v1/jobs/${await fail(open)}?view=operator`, as('operator'))
    expect(shown.text).toContain('secret')
  })

  it('tells how its webhook fares: why it is not delivered, and when it is tried next', async () => {
    const { store, deliveries } = api.parts
    const url = 'https://hooks.example/path?token=hidden'
    const hooked = { webhook: { url, secret: `whsec_${'A'.repeat(32)}` } }
    const { id } = await submitJob(api, hooked, as('owner'))
    const webhook = async () => (await view(id, 'operator')).json.webhook
    const shown = { url: 'https://hooks.example/path', status: 'pending', attempts: 0 }
    const nothing = { last_reason: null, next_at: null, held_since: null, log: [] }
    expect(await webhook()).toEqual({ ...shown, ...nothing })
    await endJob(api, id)
    const nextAtMs = Date.now() + 60_000
    await deliveries.jobs.takeDelivery(id, 0)
    await deliveries.jobs.recordDelivery(id, 0, { status: 'pending', reason: 'status_500', nextAtMs }, 12)
    const first = { at: expect.any(Number), took_ms: 12, outcome: 'pending', reason: 'status_500' }
    const once = { ...shown, attempts: 1, last_reason: 'status_500', log: [first] }
    expect(await webhook()).toEqual({ ...once, next_at: Math.floor(nextAtMs / 1_000), held_since: null })
    await deliveries.jobs.takeDelivery(id, 1)
    await deliveries.jobs.holdDelivery(id, 1, nextAtMs + 60_000)
    const later = Math.floor(nextAtMs / 1_000) + 60
    expect(await webhook()).toEqual({ ...once, next_at: later, held_since: expect.any(Number) })
    await deliveries.jobs.takeDelivery(id, 1)
    await deliveries.jobs.recordDelivery(id, 1, { status: 'delivered', reason: '200' }, 7)
    const second = { at: expect.any(Number), took_ms: 7, outcome: 'delivered', reason: '200' }
    const told = { status: 'delivered', attempts: 2, last_reason: '200', log: [first, second] }
    expect(await webhook()).toEqual({ ...shown, ...nothing, ...told })
    expect(JSON.stringify((await view(id, 'operator')).json.explained)).toContain('hooks.example/path"')
    // What its client sees stays as it was.
    const { json } = await call(api, 'GET', `/v1/jobs/${id}`, as('owner'))
    expect(json.webhook).toEqual({ url, status: 'delivered', attempts: 2 })
    expect(await store.read(id)).toMatchObject({ delivery: { log: { length: 2 } } })
  })

  it('is for operators alone, and for jobs that there are', async () => {
    const { id } = await submitJob(api, {}, as('owner'))
    const codeOf = async (path: string, key: string) => {
      const { status, json } = await call(api, 'GET', path, as(key))
      return [status, json.error.code]
    }
    expect(await codeOf(`/v1/jobs/${id}?view=operator`, 'owner')).toEqual([403, 'permission_denied'])
    expect(await codeOf(`/v1/jobs/${id}?view=operator`, 'other')).toEqual([403, 'permission_denied'])
    expect(await codeOf(`/v1/jobs/${id}?view=row`, 'operator')).toEqual([400, 'invalid_request'])
    expect(await codeOf(`/v1/jobs/${id}`, 'operator')).toEqual([404, 'job_not_found'])
    expect(await codeOf('/v1/jobs/nothing?view=operator', 'operator')).toEqual([404, 'job_not_found'])
  })
})
