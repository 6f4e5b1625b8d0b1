import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { type Baton, openBaton } from '../support/open-baton.ts'

let sim: SimProvider
/** Two processes with workers of the same provider. */
let baton: Baton
let other: Baton

const lockMs = 1_500
const scripts = ['gpt-4', 'refusal', 'hang', 'slow-300ms', 'slow-800ms', 'slow-2500ms', 'fail-400']

beforeAll(async () => {
  sim = createSimProvider()
  await sim.start()
  const config = {
    providers: {
      first: { type: 'openai', base_url: `${sim.url}/v1`, api_key: 'k', breaker: { min_calls: 1000 } },
      hasty: { type: 'openai', base_url: `${sim.url}/v1`, api_key: 'k', timeout: '700ms' },
      second: { type: 'anthropic', base_url: sim.url, api_key: 'k', breaker: { min_calls: 1000 } },
    },
    models: {
      ...Object.fromEntries(scripts.map(name => [name, { provider: 'first', cache: { ttl: '1h' } }])),
      throttled: {
        provider: 'first',
        upstream_model: 'throttle-60000ms',
        cache: {},
        fallback_to: 'spare',
      },
      spare: { provider: 'second', upstream_model: 'slow-300ms' },
      impatient: { provider: 'hasty', upstream_model: 'hang', cache: {} },
      uncached: { provider: 'first', upstream_model: 'gpt-4' },
      brief: { provider: 'first', upstream_model: 'gpt-4', cache: { ttl: '10m' } },
      tiny: { provider: 'first', upstream_model: 'gpt-4', cache: { max_bytes: 10 } },
    },
    jobs: { lease: `${lockMs}ms` },
  }
  baton = await openBaton({ level: 'workers', config })
  other = await openBaton({ level: 'workers', config, prefix: baton.prefix })
})
afterAll(async () => {
  await Promise.all([baton.stop(), other.stop()])
  await sim.stop()
})
beforeEach(() => sim.reset())

const answered = async (model: string, more: Parameters<Baton['chat']>[1] = {}) =>
  baton.ended(await baton.chat(model, more))

describe('shared calls', () => {
  describe('an answer that is kept', () => {
    it('ends the next job that asks the same, without a call', async () => {
      const first = await answered('gpt-4', { prompt: 'twice' })
      const second = await answered('gpt-4', { prompt: 'twice', user: 'somebody else' })
      expect(sim.calls.calls).toBe(1)
      expect(first).toMatchObject({ status: 'succeeded', cachedFrom: null })
      expect(second).toMatchObject({
        status: 'succeeded',
        response: first.response,
        attempts: [],
        costUsd: 0,
        usage: { input_tokens: 0, output_tokens: 0 },
        cachedFrom: { provider: 'first', model: 'gpt-4' },
      })
    })

    it.each([
      ['another prompt', { prompt: 'this' }, { prompt: 'that' }],
      ['another tenant', { prompt: 'shared', tenant: 'a' }, { prompt: 'shared', tenant: 'b' }],
    ])('is not given to %s', async (_, one, two) => {
      await answered('gpt-4', one)
      expect(await answered('gpt-4', two)).toMatchObject({ status: 'succeeded', cachedFrom: null })
      expect(sim.calls.calls).toBe(2)
    })

    it('is gone after its ttl', async () => {
      const { redis } = baton.context
      const keptKeys = async () => new Set(await redis.keys(`${baton.prefix}:*:ca:*`))
      const before = await keptKeys()
      await answered('brief', { prompt: 'soon gone' })
      const [key] = (await keptKeys()).difference(before)
      expect(await redis.pttl(key!)).toBeGreaterThan(590_000)
      expect(await redis.pttl(key!)).toBeLessThanOrEqual(600_000)
      expect(await answered('brief', { prompt: 'soon gone' })).toMatchObject({ attempts: [] })
      // As if its time were over.
      await redis.pexpire(key!, 1)
      await until(async () => (await redis.exists(key!)) === 0)
      expect(await answered('brief', { prompt: 'soon gone' })).toMatchObject({ cachedFrom: null })
      expect(sim.calls.calls).toBe(2)
    })

    it('is none on a route without a cache, or when it is longer than the route keeps', async () => {
      for (const model of ['uncached', 'tiny']) {
        sim.reset()
        await answered(model)
        await answered(model)
        expect([model, sim.calls.calls]).toEqual([model, 2])
      }
    })

    it('is none when the content was refused', async () => {
      const jobs = [await answered('refusal'), await answered('refusal')]
      expect(jobs.map(job => [job.refused, job.cachedFrom])).toEqual([
        [true, null],
        [true, null],
      ])
      expect(sim.calls.calls).toBe(2)
    })
  })

  describe('identical requests under way', () => {
    it('share one call, whichever worker has them', async () => {
      const ids = await Promise.all(
        Array.from({ length: 30 }, (_, i) =>
          (i % 2 ? baton : other).chat('slow-300ms', { prompt: 'together' }),
        ),
      )
      const jobs = await Promise.all(ids.map(baton.ended))
      expect(sim.calls.calls).toBe(1)
      expect(new Set(jobs.map(job => job.response!.body)).size).toBe(1)
      expect(jobs.filter(job => job.cachedFrom !== null)).toHaveLength(29)
      // Woken, not found by the schedule when the lease was over.
      const slowest = Math.max(...jobs.map(job => job.finishedAtMs! - job.createdAtMs))
      expect(slowest).toBeLessThan(lockMs)
    })

    it('share one call that lasts longer than a lease', async () => {
      const ids = await Promise.all([baton, other, other].map(each => each.chat('slow-2500ms')))
      const jobs = await Promise.all(ids.map(baton.ended))
      expect(sim.calls.calls).toBe(1)
      expect(jobs.filter(job => job.cachedFrom !== null)).toHaveLength(2)
    })

    it('share a call that is handed over, and the answer that comes of it', async () => {
      const leader = await baton.chat('throttled')
      const hop = async (id: string) => (await baton.context.store.read(id))!.hop
      await until(async () => (await hop(leader)) === 1)
      const ids = await Promise.all(Array.from({ length: 10 }, () => other.chat('throttled')))
      const jobs = await Promise.all([leader, ...ids].map(baton.ended))
      expect(sim.calls.outcomes).toEqual({ throttle: 1, ok: 1 })
      expect(new Set(jobs.map(job => job.response!.body)).size).toBe(1)
      expect(jobs.slice(1).map(job => job.cachedFrom?.provider)).toEqual(ids.map(() => 'second'))
    })

    it('go on when the leader expires', async () => {
      const leader = await baton.chat('hang', { prompt: 'expires', windowMs: 700 })
      await until(() => sim.calls.inFlight === 1)
      const follower = await other.chat('hang', { prompt: 'expires' })
      expect((await baton.ended(leader)).status).toBe('expired')
      await until(() => sim.calls.calls === 2)
      await baton.context.store.cancel(follower)
      await until(() => sim.calls.inFlight === 0)
    })

    it('do not wait for a leader that fails, one after the other', async () => {
      const ids = await Promise.all(Array.from({ length: 12 }, () => baton.chat('fail-400')))
      const jobs = await Promise.all(ids.map(baton.ended))
      expect(new Set(jobs.map(job => job.error?.code))).toEqual(new Set(['upstream_rejected']))
      expect(Math.max(...jobs.map(job => job.finishedAtMs! - job.createdAtMs))).toBeLessThan(2 * lockMs)
    })

    const isParked = async (id: string) => (await baton.context.store.read(id))!.status === 'parked'

    it('have the answer of a leader that was cancelled, and can be cancelled themselves', async () => {
      const leader = await baton.chat('slow-800ms')
      await until(() => sim.calls.inFlight === 1)
      const [next, dropped] = [await other.chat('slow-800ms'), await other.chat('slow-800ms')]
      await until(async () => (await isParked(next)) && (await isParked(dropped)))
      await baton.context.store.cancel(dropped)
      expect((await baton.ended(dropped)).status).toBe('cancelled')
      await baton.context.store.cancel(leader)
      const late = await other.chat('slow-800ms')
      expect(await baton.ended(next)).toMatchObject({ status: 'succeeded', attempts: [] })
      expect((await baton.ended(late)).status).toBe('succeeded')
      expect(await baton.context.store.read(leader)).toMatchObject({ status: 'cancelled', response: null })
      expect(sim.calls.outcomes).toEqual({ ok: 1 })
    })

    it('are needed: the call of a leader that is cancelled is dropped when nobody follows any more', async () => {
      const leader = await baton.chat('hang')
      await until(() => sim.calls.inFlight === 1)
      const gone = await other.chat('hang')
      await until(() => isParked(gone))
      await baton.context.store.cancel(gone)
      await baton.context.store.cancel(leader)
      await until(() => sim.calls.inFlight === 0)
      expect(sim.calls.calls).toBe(1)
    })

    it('go on at once when a leader that was cancelled brings no answer after all', async () => {
      const leader = await baton.chat('impatient')
      await until(() => sim.calls.inFlight === 1)
      const next = await other.chat('impatient')
      await until(() => isParked(next))
      await baton.context.store.cancel(leader)
      await until(() => sim.calls.inFlight === 0)
      const before = Date.now()
      await until(() => sim.calls.calls === 2)
      expect(Date.now() - before).toBeLessThan(lockMs / 2)
      await baton.context.store.cancel(next)
      await until(() => sim.calls.inFlight === 0)
    })

    it('keep to their own deadlines', async () => {
      const leader = await baton.chat('hang', { prompt: 'deadline' })
      await until(() => sim.calls.inFlight === 1)
      const follower = await baton.chat('hang', { prompt: 'deadline', windowMs: 300 })
      const ended = await baton.ended(follower)
      expect(ended).toMatchObject({ status: 'expired', attempts: [] })
      await baton.context.store.cancel(leader)
      await until(() => sim.calls.inFlight === 0)
    })
  })
})
