import { afterAll, beforeAll, expect, it } from 'vitest'
import { until } from '../support/until.ts'
import { readEvents, told } from './event-stream.ts'
import { call, endJob, openTestApi, submitJob, type TestApi } from './harness.ts'

let api: TestApi
beforeAll(async () => {
  api = await openTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

const attempt = (hop: number, verdict: 'ok' | 'rate_limited' | 'transient', startedMs: number) => ({
  hop,
  provider: hop === 0 ? 'openai' : 'anthropic',
  model: hop === 0 ? 'gpt-4' : 'claude-3',
  started_at: startedMs / 1_000,
  duration_ms: 41,
  status_code: verdict === 'ok' ? 200 : 429,
  verdict,
  reason: verdict,
  possibly_billed: false,
})

const claimOf = async (id: string, hop = 0, ring = 0) => {
  const claim = await api.parts.store.claim(id, hop, ring, 'token')
  if (typeof claim === 'string') throw new Error(`the job cannot be claimed: ${claim}`)
  return claim
}

it('tells the states of a job, each once, and ends with the last', async () => {
  const { store } = api.parts
  const { id } = await submitJob(api)
  const reader = await readEvents(api, id)
  const has = (count: number) => until(() => reader.events.length === count)
  await has(1)
  const claim = await claimOf(id)
  await has(2)
  await store.retry(claim, 1, attempt(0, 'transient', 1_000), 2_000)
  await has(3)
  const target = { provider: 'anthropic', model: 'claude-3' }
  const attempts = [attempt(0, 'rate_limited', 2_000)]
  await store.park(claim, { hop: 1, ring: 0, target, spent: 2, attempts }, Date.now() + 60_000)
  await has(4)
  await store.finalise(await claimOf(id, 1), {
    status: 'succeeded',
    attempts: [attempt(1, 'ok', 3_000)],
    response: { statusCode: 200, body: '{"text":"a\\nb"}' },
    error: null,
    refused: false,
    usage: null,
    costUsd: null,
  })
  await reader.ended
  expect(told(reader).filter(line => line !== 'job.running 2')).toEqual([
    'job.queued 0',
    'job.running 0',
    'job.running 1',
    'job.parked 2',
    'job.succeeded 3',
  ])
  expect(reader.events.at(-1)!.data).toEqual((await call(api, 'GET', `/v1/jobs/${id}`)).json)
  expect(reader.events.slice(0, -1).every(({ data }) => data.response === null)).toBe(true)
  expect(new Set(reader.events.map(event => event.id)).size).toBe(reader.events.length)
})

it('tells of the end at once, not when it next looks', async () => {
  const { id } = await submitJob(api)
  const reader = await readEvents(api, id)
  await until(() => reader.events.length === 1)
  const startedMs = performance.now()
  await endJob(api, id)
  await reader.ended
  expect(performance.now() - startedMs).toBeLessThan(300)
})
