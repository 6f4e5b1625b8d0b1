import type { Redis } from 'ioredis'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { createLimitStore, type LeaseRequest, type LimitStore } from '../../src/rate-limits/limit-store.ts'
import { createPatientRedis } from '../../src/redis/connect.ts'
import { testRedis } from '../support/redis.ts'

const meter = 'first#aaaa/gpt-4'
const nothing: LeaseRequest = {
  ...{ slots: 0, tokens: 0, leastTokens: 0, calling: 0, waiting: 0, spare: 0, spent: 0 },
  ...{ succeeded: false, throttled: -1, blockMs: 0 },
}

let redis: Redis
let prefix: string
let store: LimitStore

beforeEach(() => {
  const at = testRedis()
  prefix = at.prefix
  redis = createPatientRedis(at.url, pino({ level: 'silent' }))
  store = createLimitStore(redis, prefix)
})
afterEach(() => redis.disconnect())

const ask = (process: string, more: Partial<LeaseRequest>) =>
  store.lease(meter, process, { ...nothing, ...more })
const seen = async () => (await store.read('first'))[0]!
/** As if nothing had been heard of the processes for so long. */
const silence = async (ms: number): Promise<void> => {
  const key = `${prefix}:{limits}:${meter}`
  const record = JSON.parse((await redis.get(key))!)
  for (const proc of Object.values<{ at: number }>(record.procs)) proc.at -= ms
  if (record.halvedAt !== undefined) {
    record.halvedAt -= ms
    record.raisedAt -= ms
  }
  await redis.set(key, JSON.stringify(record))
}

describe('the limit store', () => {
  describe('slots', () => {
    it('are one after the other, whoever asks, and none is leased beyond the coming second', async () => {
      const startMs = performance.now()
      const times: number[] = []
      for (let i = 0; i < 12; i++) {
        const atMs = performance.now() - startMs
        const lease = await ask(`w${i % 3}`, { rpm: 600, slots: 5, waiting: 5 })
        for (let slot = 0; slot < lease.slots; slot++) {
          times.push(atMs + lease.firstMs! + slot * lease.everyMs!)
        }
      }
      const tookMs = performance.now() - startMs
      expect(times.length).toBeGreaterThanOrEqual(10)
      expect(times.length).toBeLessThanOrEqual(Math.ceil(((tookMs + 1_000) * 600) / 60_000))
      const apart = times.slice(1).map((atMs, i) => atMs - times[i]!)
      expect(Math.min(...apart)).toBeGreaterThan(80)
      expect(Math.max(...times)).toBeLessThanOrEqual(tookMs + 1_000)
    })

    it('are leased in fair parts: one that wants all leaves some to the others', async () => {
      await ask('w1', { rpm: 600, waiting: 1 })
      await ask('w2', { rpm: 600, waiting: 1 })
      const greedy = await ask('w3', { rpm: 600, slots: 100, waiting: 100 })
      expect(greedy.slots).toBe(4)
      expect((await ask('w1', { rpm: 600, slots: 3, waiting: 3 })).slots).toBe(3)
    })

    it('come further apart when the provider tells of a lower limit, and not for a higher one', async () => {
      const lower = await ask('w1', { belowRpm: 600, slots: 1, told: { requests: 60 } })
      expect(Math.round(lower.everyMs!)).toBe(1_020)
      const higher = await ask('w1', { belowRpm: 600, slots: 1, told: { requests: 6_000 } })
      expect(higher.everyMs).toBeUndefined()
      expect(await seen()).toMatchObject({ key: 'aaaa', model: 'gpt-4', rpm: 6_000, tpm: null })
    })

    it('wait until the provider may be called again; a shorter word does not cut that short', async () => {
      await ask('w1', { rpm: 600, blockMs: 30_000 })
      const lease = await ask('w2', { rpm: 600, slots: 1, waiting: 1, blockMs: 1_000 })
      expect(lease.slots).toBe(0)
      expect(lease.blockedMs).toBeGreaterThan(29_000)
      expect(lease.nextMs).toBeGreaterThan(29_000)
      expect((await seen()).blockedUntilMs).toBeGreaterThan(Date.now() + 20_000)
    })

    it('come at the pace of what is left, for as long as that is told', async () => {
      const lease = await ask('w1', { rpm: 600, slots: 5, waiting: 5, pace: { perMinute: 6, forMs: 60_000 } })
      expect(lease).toMatchObject({ slots: 1 })
      expect(lease.everyMs).toBeCloseTo(60_000 / (6 * 0.98))
    })
  })

  describe('tokens', () => {
    it('are owed by a request that is larger than a slice, and by one that used more than was thought', async () => {
      const large = await ask('w1', { tpm: 60_000, tokens: 10_000, leastTokens: 10_000, waiting: 1 })
      expect(large.tokens).toBe(10_000)
      expect(large.nextTokensMs).toBeGreaterThan(9_000)
      const next = await ask('w2', { tpm: 60_000, tokens: 100, leastTokens: 100, waiting: 1 })
      expect(next.tokens).toBeUndefined()

      const settled = await ask('w1', { tpm: 60_000, spent: 5_000 })
      expect(settled.nextTokensMs).toBeGreaterThan(14_000)
      const given = await ask('w1', { tpm: 60_000, spent: -14_900 })
      expect(given.nextTokensMs).toBeLessThan(1_000)
      expect((await ask('w2', { tpm: 60_000, tokens: 100, leastTokens: 100, waiting: 1 })).tokens).toBe(100)
    })
  })

  describe('calls at once', () => {
    const concurrency = 10

    it('are never leased beyond the limit, and go round when all want more', async () => {
      expect((await ask('w1', { concurrency, waiting: 10 })).share).toBe(10)
      expect((await ask('w2', { concurrency, waiting: 10 })).share).toBe(0)
      // It has calls under way for all of its share: they end, and it does not begin others.
      expect((await ask('w1', { concurrency, calling: 10, waiting: 3 })).share).toBe(5)
      expect((await ask('w2', { concurrency, waiting: 10 })).share).toBe(0)
      await ask('w1', { concurrency, calling: 6, waiting: 3 })
      expect((await ask('w2', { concurrency, waiting: 10 })).share).toBe(4)
    })

    it('of one that was killed are there again after five seconds', async () => {
      await ask('killed', { concurrency, calling: 10 })
      expect((await ask('w1', { concurrency, waiting: 10 })).share).toBe(0)
      await silence(5_001)
      expect((await ask('w1', { concurrency, waiting: 10 })).share).toBe(10)
    })

    it('are taken in turns when there are more processes than calls', async () => {
      expect((await ask('w1', { concurrency: 1, waiting: 2 })).share).toBe(1)
      expect((await ask('w2', { concurrency: 1, waiting: 2 })).share).toBe(0)
      expect((await ask('w1', { concurrency: 1, calling: 1, waiting: 1 })).share).toBe(0)
      await ask('w1', { concurrency: 1, waiting: 1 })
      expect((await ask('w2', { concurrency: 1, waiting: 2 })).share).toBe(1)
    })
  })

  describe('the ceiling after a 429', () => {
    it('is half of what was under way, once for an episode, and known to all', async () => {
      await ask('w1', { calling: 8 })
      const { epoch } = await ask('w2', { calling: 11 })
      await ask('w1', { calling: 8, throttled: epoch })
      expect((await seen()).ceiling).toBe(10)
      // Those that were under way with it.
      for (const process of ['w1', 'w2', 'w2']) await ask(process, { calling: 5, throttled: epoch })
      expect((await seen()).ceiling).toBe(10)
      expect((await ask('w3', { waiting: 50 })).share).toBe(0)

      await silence(1_000)
      await ask('w1', { calling: 5, throttled: epoch })
      expect((await seen()).ceiling).toBe(10)

      await ask('w2', { calling: 5, throttled: epoch + 1 })
      expect((await seen()).ceiling).toBe(5)
      for (let i = 2; i < 8; i++) {
        await silence(1_000)
        await ask('w2', { calling: 1, throttled: epoch + i })
      }
      expect((await seen()).ceiling).toBe(1)
    })

    it('adds up the halves of processes that had not told of their calls before', async () => {
      await ask('w1', { calling: 9, throttled: 0 })
      await ask('w2', { calling: 10 })
      expect((await seen()).ceiling).toBe(10)
    })

    it('says nothing of calls at once when one was alone', async () => {
      await ask('w1', { calling: 0, throttled: 0 })
      expect((await seen()).ceiling).toBeNull()
    })

    it('rises while it is used and calls succeed, and not beyond what is configured', async () => {
      await ask('w1', { calling: 19, throttled: 0 })
      const use = { calling: 10, waiting: 5, succeeded: true, most: 14 }
      expect((await seen()).ceiling).toBe(10)
      await silence(2_000)
      await ask('w1', { ...use, calling: 3, waiting: 0 })
      await ask('w1', { ...use, succeeded: false })
      expect((await seen()).ceiling).toBe(10)
      await ask('w1', use)
      expect((await seen()).ceiling).toBe(11)
      await ask('w1', use)
      expect((await seen()).ceiling).toBe(11)
      for (let i = 0; i < 20; i++) {
        await silence(2_000)
        await ask('w1', { ...use, calling: 14 })
      }
      expect((await seen()).ceiling).toBe(14)
    })
  })

  it('tells every process of what is new', async () => {
    const ear = redis.duplicate()
    const heard: string[] = []
    ear.on('message', (_, name) => heard.push(name))
    await ear.subscribe(store.channel)
    await ask('w1', { told: { requests: 60 } })
    await ask('w1', { told: { requests: 60 } })
    await ask('w1', { told: { requests: 50 } })
    await ask('w1', { blockMs: 100 })
    await until(() => heard.length === 3)
    expect(new Set(heard)).toEqual(new Set([meter]))
    ear.disconnect()
  })
})
