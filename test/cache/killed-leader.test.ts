import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Deployment } from '../../harness/deployment.ts'
import { until } from '../../harness/until.ts'
import { createAnswerCache } from '../../src/cache/answer-cache.ts'
import { requestKey } from '../../src/cache/request-key.ts'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { type Baton, openBaton } from '../support/open-baton.ts'
import { testRedis } from '../support/redis.ts'

const lockMs = 1_500

let sim: SimProvider
let site: Deployment
/** Submits, and works only when asked to. */
let baton: Baton
let successor: Baton | undefined
const { url, prefix } = testRedis()
const parts = () => ({
  providers: {
    first: { type: 'openai', base_url: `${sim.url}/v1`, api_key: 'k', breaker: { min_calls: 1000 } },
  },
  models: { 'hang-then-ok': { provider: 'first', cache: { ttl: '1h' } } },
  jobs: { lease: `${lockMs}ms` },
})

beforeAll(async () => {
  sim = createSimProvider()
  await sim.start()
  baton = await openBaton({ level: 'workers', config: parts(), prefix, workers: [] })
  site = await openBaton({ level: 'processes', config: { ...parts(), redis: { url, prefix } } })
})
afterAll(async () => {
  await site.close()
  await successor?.stop()
  await baton.stop()
  await sim.stop()
})

describe('a shared call whose worker dies', () => {
  it('a leader whose worker is killed keeps nobody: one follower leads, and all have its answer', async () => {
    const worker = await site.worker('first')
    const leader = await baton.chat('hang-then-ok')
    await until(() => sim.calls.inFlight === 1)
    const followers = await Promise.all(Array.from({ length: 8 }, () => baton.chat('hang-then-ok')))
    const states = async () =>
      Promise.all(followers.map(async id => (await baton.context.store.read(id))!.status))
    await until(async () => (await states()).every(status => status === 'parked'))
    expect(sim.calls.calls).toBe(1)

    await worker.kill()
    const killedAtMs = Date.now()
    successor = await openBaton({ level: 'workers', config: parts(), prefix })
    const jobs = await Promise.all([leader, ...followers].map(baton.ended))

    expect(new Set(jobs.map(job => job.status))).toEqual(new Set(['succeeded']))
    expect(new Set(jobs.map(job => job.response!.body)).size).toBe(1)
    expect(sim.calls.calls).toBe(2)
    // The leader's lease, a round of the sweeper, and room for a slow machine.
    expect(Math.max(...jobs.map(job => job.finishedAtMs!)) - killedAtMs).toBeLessThan(lockMs + 3_500)
  })

  it('a leader whose worker is stopped goes on elsewhere, and nobody is asked twice', async () => {
    const own = testRedis().prefix
    const stopped = await openBaton({ level: 'workers', config: parts(), prefix: own, graceMs: 0 })
    sim.reset()
    const leader = await stopped.chat('hang-then-ok')
    await until(() => sim.calls.inFlight === 1)
    const followers = await Promise.all(Array.from({ length: 4 }, () => stopped.chat('hang-then-ok')))
    await stopped.stop()
    const next = await openBaton({ level: 'workers', config: parts(), prefix: own })
    const jobs = await Promise.all([leader, ...followers].map(next.ended))
    await next.stop()
    expect(new Set(jobs.map(job => job.status))).toEqual(new Set(['succeeded']))
    expect(jobs.filter(job => job.cachedFrom === null)).toHaveLength(1)
    expect(sim.calls.outcomes).toEqual({ hang: 1, ok: 1 })
  })

  it('a worker that is killed between the answer it keeps and the end of its job is not missed: nobody is asked again', async () => {
    const own = testRedis().prefix
    const submitter = await openBaton({ level: 'workers', config: parts(), prefix: own, workers: [] })
    const { store, cachedRoutes, keys, redis } = submitter.context
    sim.reset()
    const id = await submitter.chat('hang-then-ok')
    const claim = await store.claim(id, 0, 0, 'doomed')
    if (typeof claim === 'string') throw new Error(claim)
    const { chain } = cachedRoutes.get('hang-then-ok')!
    const key = requestKey({ ...claim, route: claim.model, chain })!
    const cache = createAnswerCache({ redis, keys, leaseMs: lockMs, now: Date.now })
    await cache.enter(key, id)
    const answer = { statusCode: 200, body: '{"kept":true}', target: claim.target }
    await cache.put(key, id, { route: claim.model, ttlMs: 60_000, maxTotalBytes: 1e6 }, answer)

    const next = await openBaton({ level: 'workers', config: parts(), prefix: own })
    const job = await next.ended(id)
    await Promise.all([next.stop(), submitter.stop()])
    expect(job).toMatchObject({
      status: 'succeeded',
      response: { body: '{"kept":true}' },
      cachedFrom: { provider: 'first' },
      attempts: [{ reason: 'worker_lost' }],
    })
    expect(sim.calls.calls).toBe(0)
  })
})
