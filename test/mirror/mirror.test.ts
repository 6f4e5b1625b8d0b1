import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { call, type Json } from '../api/test-api.ts'
import { type BatonApi, openBaton } from '../support/open-baton.ts'

let first: SimProvider
let second: SimProvider
let baton: BatonApi

beforeAll(async () => {
  first = createSimProvider()
  second = createSimProvider()
  await Promise.all([first.start(), second.start()])
  const breaker = { min_calls: 100_000 }
  const config = {
    providers: {
      first: { type: 'openai', base_url: `${first.url}/v1`, api_key: 'k', breaker },
      second: { type: 'anthropic', base_url: second.url, api_key: 'k', breaker },
    },
    models: {
      all: { provider: 'first', price, mirror: { to: 'claude', sample: 1 } },
      claude: { provider: 'second', price: { input: 3, output: 4 } },
      some: { provider: 'first', mirror: { to: 'second/claude-x', sample: 0.1 } },
      failing: { provider: 'first', mirror: { to: 'second/fail-400', sample: 1 } },
      broken: { provider: 'first', mirror: { to: 'second/fail-500', sample: 1 } },
      crowded: { provider: 'first', mirror: { to: 'second/hang', sample: 1, max_waiting: 3 } },
      cached: { provider: 'first', cache: {}, mirror: { to: 'second/claude-y', sample: 1 } },
      refusal: { provider: 'first', mirror: { to: 'second/claude-z', sample: 1 } },
    },
  }
  baton = await openBaton({ level: 'api', config, graceMs: 100 })
})
afterAll(async () => {
  await baton.stop()
  await Promise.all([first.stop(), second.stop()])
})
beforeEach(() => {
  first.reset()
  second.reset()
})

const price = { input: 1, output: 2 }

const mirrorOf = async (route: string): Promise<Json> => {
  const { json } = await call({ url: baton.url }, 'GET', '/v1/mirrors')
  return json.data.find((mirror: Json) => mirror.route === route)
}
const answered = async (model: string, times: number) =>
  Promise.all(
    Array.from({ length: times }, async (_, i) => baton.ended(await baton.chat(model, { prompt: `p ${i}` }))),
  )
const reached = (route: string, test: (mirror: Json) => boolean): Promise<Json> =>
  until(async () => {
    const mirror = await mirrorOf(route)
    return test(mirror) ? mirror : null
  })

describe('a mirror', () => {
  it('is asked what the route was, and its answers are compared', async () => {
    const jobs = await answered('all', 12)
    const mirror = await reached('all', ({ compared }) => compared === 12)
    expect([first.calls.calls, second.calls.calls]).toEqual([12, 12])
    expect(mirror).toMatchObject({
      to: { provider: 'second', model: 'claude' },
      ...{ sample: 1, sampled: 12, failed: 0, dropped: 0, lost: 0, waiting: 0 },
      agreement: { exact: { count: 12, share: 1 }, normalised: { count: 12, share: 1 } },
      cost_usd: { compared: 12 },
    })
    expect(mirror.latency_ms.mirror.p95).toBeGreaterThanOrEqual(mirror.latency_ms.mirror.p50)
    expect(mirror.cost_usd.mirror).toBeGreaterThan(mirror.cost_usd.original)
    // The jobs themselves know nothing of it.
    const paid = jobs.reduce((sum, job) => sum + job.costUsd!, 0)
    expect(mirror.cost_usd.original).toBeCloseTo(paid, 8)
    expect(jobs.every(job => job.attempts.length === 1)).toBe(true)
  })

  it('is sent the configured share of the jobs', async () => {
    await answered('some', 100)
    const { sampled } = await reached('some', m => m.sampled > 0 && m.sampled === m.compared)
    expect(sampled).toBeLessThan(40)
  })

  it('counts what it does not answer, after one call, and the jobs are well', async () => {
    for (const route of ['failing', 'broken']) {
      second.reset()
      const jobs = await answered(route, 5)
      expect(new Set(jobs.map(job => job.status))).toEqual(new Set(['succeeded']))
      await reached(route, ({ failed }) => failed === 5)
      expect([route, second.calls.calls]).toEqual([route, 5])
    }
  })

  it('drops samples while too many are on their way', async () => {
    const jobs = await answered('crowded', 10)
    const mirror = await reached('crowded', ({ sampled, dropped }) => sampled + dropped === 10)
    expect(mirror).toMatchObject({ sampled: 3, dropped: 7, waiting: 3, compared: 0 })
    expect(new Set(jobs.map(job => job.status))).toEqual(new Set(['succeeded']))
  })

  it('is not asked what came from the cache, or was refused', async () => {
    const [one] = await answered('cached', 1)
    const [two] = await answered('cached', 1)
    expect([one!.cachedFrom, two!.cachedFrom?.provider]).toEqual([null, 'first'])
    await answered('refusal', 1)
    await reached('cached', ({ compared }) => compared === 1)
    expect((await mirrorOf('refusal')).sampled).toBe(0)
    expect((await mirrorOf('cached')).sampled).toBe(1)
  })

  it('has jobs that no client sees', async () => {
    const list = await call({ url: baton.url }, 'GET', '/v1/jobs?limit=100')
    expect(list.json.data.some((job: Json) => !job.id.startsWith('job_'))).toBe(false)
    const [record] = await baton.context.redis.keys(`${baton.prefix}:*:j:mirror_*`)
    const id = record!.split(':').at(-1)!
    const single = await call({ url: baton.url }, 'GET', `/v1/jobs/${id}`)
    expect(single.status).toBe(404)
  })
})
