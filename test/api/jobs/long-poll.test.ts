import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { patience } from '../../support/patience.ts'
import { call, endJob, openTestApi, submitJob, type TestApi } from '../test-api.ts'

let api: TestApi
beforeAll(async () => {
  api = await openTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

const poll = (id: string, prefer: string, signal?: AbortSignal) =>
  call(api, 'GET', `/v1/jobs/${id}`, { headers: { prefer }, ...(signal && { signal }) })

/** Resolves once a request listens for a job's end. */
const listener = () => vi.waitUntil(() => api.parts.waiter.awaitedJobs().length > 0, patience)

describe('GET /v1/jobs/{id} with Prefer: wait', () => {
  it('answers as soon as the job ends', async () => {
    const { id } = await submitJob(api)
    const waiting = Promise.all([poll(id, 'wait=30'), poll(id, 'wait=30')])
    await listener()
    const startedMs = performance.now()
    await endJob(api, id)
    for (const answer of await waiting) {
      expect(answer.json).toMatchObject({ id, status: 'succeeded', response: { status_code: 200 } })
      expect(answer.headers.get('preference-applied')).toBe('wait=30')
    }
    expect(performance.now() - startedMs).toBeLessThan(5_000)
  })

  it('answers at once when the job has ended, or when no wait is asked for', async () => {
    const { id } = await submitJob(api)
    expect((await poll(id, 'wait=0')).json.status).toBe('queued')
    expect((await poll(id, 'respond-async')).headers.get('preference-applied')).toBeNull()
    await endJob(api, id)
    expect((await poll(id, 'wait=60')).json.status).toBe('succeeded')
  })

  it('answers the job as it stands when the time is up', async () => {
    const { id } = await submitJob(api)
    const startedMs = performance.now()
    expect((await poll(id, 'wait=1')).json.status).toBe('queued')
    expect(performance.now() - startedMs).toBeGreaterThan(950)
  })

  it('waits for a minute at most', async () => {
    const { id } = await submitJob(api)
    const waiting = poll(id, 'wait=86400')
    await listener()
    await endJob(api, id)
    expect((await waiting).headers.get('preference-applied')).toBe('wait=60')
  })

  it('stops waiting when the client goes', async () => {
    const { id } = await submitJob(api)
    const client = new AbortController()
    const waiting = poll(id, 'wait=60', client.signal)
    await listener()
    client.abort()
    await expect(waiting).rejects.toThrow()
    await vi.waitUntil(() => api.parts.waiter.awaitedJobs().length === 0, patience)
  })
})
