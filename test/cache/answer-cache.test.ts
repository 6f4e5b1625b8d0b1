import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { type AnswerCache, createAnswerCache } from '../../src/cache/answer-cache.ts'
import { createPatientRedis } from '../../src/redis/connect.ts'
import { createKeys, shardCount } from '../../src/redis/keys.ts'
import { testRedis } from '../support/redis.ts'

const leaseMs = 400
const { url, prefix } = testRedis()
/** No two answers are of one millisecond: which of those is older nobody can say. */
let lastMs = 0
const now = (): number => {
  lastMs = Math.max(lastMs + 1, Date.now())
  return lastMs
}
let redis: Redis
let cache: AnswerCache

beforeAll(() => {
  redis = createPatientRedis(url, pino({ level: 'silent' }))
  cache = createAnswerCache({ redis, keys: createKeys(prefix), leaseMs, now })
})
afterAll(() => redis.disconnect())

/** Keys of one shard: their first byte says which. */
const keyOf = (name: string): string =>
  Buffer.concat([Buffer.from([0]), createHash('sha256').update(name).digest().subarray(1)]).toString(
    'base64url',
  )
const target = { provider: 'first', model: 'vendor/m' }
const answer = (body: string) => ({ statusCode: 200, target, body })
const roomFor = (route: string, bytesInShard: number, ttlMs = 60_000) => ({
  route,
  ttlMs,
  maxTotalBytes: bytesInShard * shardCount,
})
const isKept = async (key: string) => (await cache.enter(key, 'probe')).kind === 'hit'

describe('the answer cache', () => {
  describe('the lead of a request', () => {
    it('is one job’s, also when that asks again, until it is given up', async () => {
      const key = keyOf('lead')
      expect(await cache.enter(key, 'one')).toEqual({ kind: 'lead' })
      expect(await cache.enter(key, 'one')).toEqual({ kind: 'lead' })
      expect(await cache.enter(key, 'two')).toMatchObject({ kind: 'follow' })
      expect(await cache.follow(key, 'two', 'two.0.1')).toBe(true)
      expect(await cache.endLead(key, 'three', false)).toEqual([])
      expect(await cache.endLead(key, 'one', false)).toEqual(['two.0.1'])
      expect(await cache.enter(key, 'two')).toEqual({ kind: 'lead' })
    })

    it('passes on when its holder is silent, and only then', async () => {
      const key = keyOf('silent')
      await cache.enter(key, 'one')
      const endsAt = performance.now() + 3 * leaseMs
      while (performance.now() < endsAt) {
        await cache.renewLead(key, 'one')
        expect((await cache.enter(key, 'two')).kind).toBe('follow')
      }
      await until(async () => (await cache.enter(key, 'two')).kind === 'lead')
      await cache.renewLead(key, 'one')
      expect((await cache.enter(key, 'one')).kind).toBe('follow')
    })

    it('has no followers when nobody would wake them', async () => {
      const key = keyOf('late')
      expect(await cache.follow(key, 'two', 'two.0.1')).toBe(false)
      await cache.enter(key, 'one')
      await cache.put(key, 'one', roomFor('r', 10_000), answer('{}'))
      expect(await cache.follow(key, 'two', 'two.0.1')).toBe(false)
    })

    it('tells followers of its stream: those that may read it go, and the others stay', async () => {
      const key = keyOf('streams')
      const stream = { jobId: 'one', run: 'w.1', form: 'plain' } as const
      const reads = { form: 'plain', exceptRun: '' } as const
      await cache.enter(key, 'one')
      expect(await cache.follow(key, 'two', 'two.0.1', reads)).toBe(true)
      expect(await cache.follow(key, 'three', 'three.0.1')).toBe(true)
      expect(await cache.follow(key, 'four', 'four.0.1', { ...reads, form: 'usage' })).toBe(true)
      expect(await cache.leadStreams(key, { ...stream, jobId: 'two' })).toEqual([])
      expect(await cache.leadStreams(key, stream)).toEqual(['two.0.1'])
      expect(await cache.enter(key, 'two')).toMatchObject({ kind: 'follow', stream })
      expect(await cache.follow(key, 'five', 'five.0.1', reads)).toBe(false)
      expect(await cache.follow(key, 'two', 'two.0.2', { ...reads, exceptRun: 'w.1' })).toBe(true)
      expect((await cache.someFollowers(key)).toSorted()).toEqual(['four.0.1', 'three.0.1', 'two.0.2'])
      await cache.renewLead(key, 'one')
      expect((await cache.endLead(key, 'one', false)).toSorted()).toEqual([
        'four.0.1',
        'three.0.1',
        'two.0.2',
      ])
    })

    it('parts those who ask after leaders that failed, for a while', async () => {
      const key = keyOf('failing')
      for (const job of ['one', 'two']) {
        expect((await cache.enter(key, job)).kind).toBe('lead')
        await cache.endLead(key, job, true)
      }
      expect((await cache.enter(key, 'three')).kind).toBe('alone')
      expect((await cache.enter(key, 'four')).kind).toBe('alone')
      await until(async () => (await cache.enter(key, 'five')).kind === 'lead')
    })
  })

  describe('answers that are kept', () => {
    it('come back whole, with who gave them, also from one that no longer leads', async () => {
      const key = keyOf('whole')
      await cache.enter(key, 'one')
      await cache.follow(key, 'two', 'two.0.1')
      const given = answer('{"text":"zwei\nZeilen, ü und 日本"}')
      expect(await cache.put(key, 'late', roomFor('r', 10_000), given)).toEqual(['two.0.1'])
      expect(await cache.enter(key, 'two')).toEqual({ kind: 'hit', answer: given })
    })

    it('take no more room than their route has in a shard: the oldest goes', async () => {
      const keys = Array.from({ length: 6 }, (_, i) => keyOf(`room ${i}`))
      // Each takes some 1,300 bytes with what it costs beside its body.
      for (const key of keys) await cache.put(key, 'one', roomFor('full', 4_000), answer('x'.repeat(1_000)))
      expect(await Promise.all(keys.map(isKept))).toEqual([false, false, false, true, true, true])
      const [sizes] = await redis.keys(
        `${prefix}:*:cs:${createHash('sha256').update('full').digest('base64url')}`,
      )
      const { '': sum, ...each } = await redis.hgetall(sizes!)
      expect(Object.values(each).reduce((total, size) => total + Number(size), 0)).toBe(Number(sum))
    })

    it('leave the room of other routes alone, and count once when they are put again', async () => {
      const [one, two] = [keyOf('once'), keyOf('other route')]
      await cache.put(two, 'j', roomFor('quiet', 4_000), answer('x'.repeat(1_000)))
      for (let i = 0; i < 5; i++) await cache.put(one, 'j', roomFor('busy', 4_000), answer('x'.repeat(1_000)))
      expect([await isKept(one), await isKept(two)]).toEqual([true, true])
    })

    it('leave nothing behind when their time is over', async () => {
      const key = keyOf('brief')
      await cache.put(key, 'j', roomFor('brief', 4_000, 50), answer('{}'))
      const name = createHash('sha256').update('brief').digest('base64url')
      await until(async () =>
        (await redis.keys(`${prefix}:*:c?:*`)).every(k => !k.includes(key) && !k.includes(name)),
      )
    })
  })
})
