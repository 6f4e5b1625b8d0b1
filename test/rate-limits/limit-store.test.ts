import type { Redis } from 'ioredis'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import {
  createLimitStore,
  type Lease,
  type LeaseRequest,
  type LimitStore,
} from '../../src/rate-limits/limit-store.ts'
import { createPatientRedis } from '../../src/redis/connect.ts'
import { testRedis } from '../support/redis.ts'

const meter = 'first#aaaa/gpt-4'
const nothing: LeaseRequest = {
  ...{ slots: 0, spareSlots: 0, tokens: 0, leastTokens: 0, calling: 0, waiting: 0, spare: 0, spent: 0 },
  ...{ learns: true, isTold: false, isRated: false, peak: 0, begun: 0, ok: 0, tookMs: 0 },
  ...{ turnedAway: 0, overloaded: false, throttled: -1, blockMs: 0 },
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
  store.lease(meter, process, { ...nothing, ...more }, { requests: true, tokens: true })
/** A burst was answered with a 429: an even pace from now on. */
const pacedEvenly = async (): Promise<void> => {
  await redis.hset(`${prefix}:{limits}:of:${meter}`, 'learned', JSON.stringify({ even_until: 9e15 }))
}
const slotsOf = ({ atOnce, slots }: Lease): number => atOnce! + slots!
const seen = async () => (await store.read('first'))[0]!
/** As if so long had passed for what the script of the calls at once keeps. */
const silence = async (ms: number): Promise<void> => {
  const key = `${prefix}:{limits}:of:${meter}`
  const record = JSON.parse((await redis.hget(key, 'concurrency'))!)
  for (const proc of Object.values<{ at: number }>(record.procs)) proc.at -= ms
  for (const name of ['cut_at', 'met_at', 'next_at', 'tried_at', 'begun_at']) {
    if (record[name] !== undefined) record[name] -= ms
  }
  await redis.hset(key, 'concurrency', JSON.stringify(record))
}

describe('the limit store', () => {
  describe('slots', () => {
    it('are one after the other, whoever asks, and none is leased beyond the coming second', async () => {
      await pacedEvenly()
      const startMs = performance.now()
      const times: number[] = []
      for (let i = 0; i < 12; i++) {
        const atMs = performance.now() - startMs
        const lease = await ask(`w${i % 3}`, { rpm: 600, slots: 5, waiting: 5 })
        if (lease.atOnce! > 0) times.push(atMs)
        for (let slot = 0; slot < lease.slots!; slot++) {
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
      await pacedEvenly()
      await ask('w1', { rpm: 600, waiting: 1 })
      await ask('w2', { rpm: 600, waiting: 1 })
      const greedy = await ask('w3', { rpm: 600, slots: 100, waiting: 100 })
      expect(slotsOf(greedy)).toBe(4)
      expect(slotsOf(await ask('w1', { rpm: 600, slots: 3, waiting: 3 }))).toBe(3)
    })

    it('come further apart when the provider tells of a lower limit, and not for a higher one', async () => {
      const lower = await ask('w1', { belowRpm: 600, slots: 1, told: { requests: 60 } })
      expect(Math.round(lower.everyMs!)).toBe(1_017)
      const higher = await ask('w1', { belowRpm: 600, slots: 1, told: { requests: 6_000 } })
      expect(higher.everyMs).toBeUndefined()
      expect(await seen()).toMatchObject({ key: 'aaaa', model: 'gpt-4', rpm: 6_000, tpm: null })
    })

    it('wait until the provider may be called again; a shorter word does not cut that short', async () => {
      await ask('w1', { rpm: 600, blockMs: 30_000 })
      const lease = await ask('w2', { rpm: 600, slots: 1, waiting: 1, blockMs: 1_000 })
      expect(slotsOf(lease)).toBe(0)
      expect(lease.blockedMs).toBeGreaterThan(29_000)
      expect(lease.nextMs).toBeGreaterThan(29_000)
      expect((await seen()).blockedUntilMs).toBeGreaterThan(Date.now() + 20_000)
    })

    it('come at the pace of what is left, for as long as that is told', async () => {
      const lease = await ask('w1', { rpm: 600, slots: 5, waiting: 5, pace: { perMinute: 6, forMs: 60_000 } })
      expect(slotsOf(lease)).toBe(1)
      expect(lease.everyMs).toBeCloseTo(60_000 / 6)
    })
  })

  describe('tokens', () => {
    it('are owed by a request that is larger than a minute, and by one that used more than was thought', async () => {
      const large = await ask('w1', { tpm: 60_000, tokens: 70_000, leastTokens: 70_000, waiting: 1 })
      expect(large.tokens).toBe(70_000)
      expect(large.nextTokensMs).toBeGreaterThan(9_000)
      const next = await ask('w2', { tpm: 60_000, tokens: 100, leastTokens: 100, waiting: 1 })
      expect(next.tokens).toBeUndefined()

      const settled = await ask('w1', { tpm: 60_000, spent: 5_000 })
      expect(settled.nextTokensMs).toBeGreaterThan(14_000)
      const given = await ask('w1', { tpm: 60_000, spent: -16_500 })
      expect(given.nextTokensMs).toBeLessThan(1_000)
      expect((await ask('w2', { tpm: 60_000, tokens: 100, leastTokens: 100, waiting: 1 })).tokens).toBe(100)
    })

    it('that an idle minute left go at once, and then at an even pace where such a burst was not taken', async () => {
      const wanted = { tpm: 60_000, tokens: 20_000, leastTokens: 200, waiting: 1 }
      expect((await ask('w1', wanted)).tokens).toBe(20_000)
      expect((await ask('w1', wanted)).tokens).toBe(20_000)
      await pacedEvenly()
      expect((await ask('w1', wanted)).tokens).toBeLessThan(2_000)
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
    it('is what was being served, once for an episode, and known to all', async () => {
      await ask('w1', { calling: 8 })
      const { epoch } = await ask('w2', { calling: 11 })
      const turnedAway = (process: string, calling: number, count: number, begunIn: number) =>
        ask(process, { calling, turnedAway: count, throttled: begunIn })
      await turnedAway('w1', 7, 1, epoch)
      expect((await seen()).ceiling).toBe(18)
      // Those that were under way with it were too many as well.
      await turnedAway('w2', 9, 2, epoch)
      await turnedAway('w1', 6, 1, epoch)
      expect((await seen()).ceiling).toBe(15)
      expect((await ask('w3', { waiting: 50 })).share).toBe(0)

      await silence(1_000)
      await ask('w1', { calling: 6 })
      await turnedAway('w1', 5, 1, epoch)
      await ask('w1', { calling: 6 })
      // One more is tried.
      expect((await seen()).ceiling).toBe(16)

      await silence(5_001)
      await turnedAway('w2', 4, 5, epoch + 1)
      expect((await seen()).ceiling).toBe(4)
    })

    it('says nothing of calls at once when one was alone', async () => {
      await ask('w1', { calling: 0, turnedAway: 1, throttled: 0 })
      expect((await seen()).ceiling).toBeNull()
    })

    it('gives way to a rate where one call more is served, and rises no further than what is configured', async () => {
      await ask('w1', { calling: 10, turnedAway: 1, throttled: 0 })
      await silence(1_000)
      await ask('w1', { calling: 9 })
      const use = { calling: 12, waiting: 5, ok: 20, tookMs: 2_000, most: 14 }
      expect((await seen()).ceiling).toBe(10)
      await ask('w1', { ...use, calling: 10 })
      expect((await seen()).ceiling).toBe(11)
      expect((await seen()).learnedRpm).toBeNull()
      await silence(1_000)
      await ask('w1', { ...use, calling: 11 })
      expect((await seen()).learnedRpm).not.toBeNull()
      for (let i = 0; i < 20; i++) {
        await silence(20_000)
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
