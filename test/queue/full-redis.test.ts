import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { createAnswerCache } from '../../src/cache/answer-cache.ts'
import { createCircuitStore } from '../../src/health/circuit-store.ts'
import { createProcessHeartbeat, readProcesses } from '../../src/health/heartbeats.ts'
import { createIndexTrim } from '../../src/jobs/index-trim.ts'
import { createLiveWalk } from '../../src/jobs/live-walk.ts'
import { createMirrorStore } from '../../src/mirror/mirror-store.ts'
import { createConsumer } from '../../src/queue/consumer.ts'
import { providerQueue } from '../../src/queue/doorbells.ts'
import { sweep } from '../../src/queue/sweeper.ts'
import { createTurn } from '../../src/queue/turn.ts'
import { createOwedWrite } from '../../src/redis/owed-write.ts'
import { createScriptRunner } from '../../src/redis/scripts.ts'
import { answer } from '../jobs/store-fixture.ts'
import { type OwnRedis, ownRedis } from '../support/redis.ts'
import { openQueue, type QueueFixture } from './queue-fixture.ts'
import { ringOf } from './rings.ts'

let server: OwnRedis
let q: QueueFixture
beforeAll(async () => {
  server = await ownRedis()
  q = openQueue({ url: server.url, prefix: 'full' })
})
afterAll(async () => {
  await q.shut()
  await server.stop()
})

const setMemory = (bytes: number) => q.redis.config('SET', 'maxmemory', bytes)
/** Far less than an empty Redis takes: nothing that is freed gives any room. */
const fill = () => setMemory(1)
beforeEach(() => setMemory(0))

const queue = providerQueue('first')

describe('the queue of a full Redis', () => {
  describe('while Redis is full', () => {
    it('no job is made, and one that was made is still found by its key', async () => {
      const idempotency = { keyHash: 'key', fingerprint: 'print', ttlMs: 60_000 }
      const first = q.newJob({ idempotency })
      await q.store.create(first)
      await fill()
      await expect(q.store.create(q.newJob())).rejects.toThrow(/OOM/)
      expect(await q.store.create(q.newJob({ idempotency }))).toEqual({ kind: 'replayed', id: first.id })
    })

    it('a doorbell is rung, taken and answered', async () => {
      await q.doorbells.ring(ringOf(queue, 'job_before.0.0'))
      await fill()
      await q.doorbells.ring(ringOf(queue, 'job_one.0.0'))
      await q.doorbells.ringAll([ringOf(queue, 'job_low.0.0', { class: 'bulk' })])
      const answered: string[] = []
      const consumer = createConsumer({
        ...{ queue, concurrency: 4, redis: q.redis, doorbells: q.doorbells, keys: q.keys },
        log: q.parts.log,
        handle: async doorbell => void answered.push(doorbell),
      })
      consumer.start()
      await until(() => answered.length === 3)
      await consumer.stop(0, () => undefined)
      expect(await q.ringingAt('first')).toEqual([])
      expect(await q.redis.hlen(`${q.keys.ready(queue)}:taken`)).toBe(0)
    })

    it('what a worker took that fell silent comes back', async () => {
      await q.doorbells.ring(ringOf(queue, 'job_silent.0.0'))
      await q.doorbells.take(queue, { chunk: 'lost', most: 1, worker: 'w', free: 1, claimed: [] })
      await fill()
      // As if its time had passed.
      await createOwedWrite(q.redis)('ZADD', `${q.keys.ready(queue)}:leases`, 1, 'lost')
      const answered: string[] = []
      const consumer = createConsumer({
        ...{ queue, concurrency: 1, redis: q.redis, doorbells: q.doorbells, keys: q.keys },
        log: q.parts.log,
        handle: async doorbell => void answered.push(doorbell),
      })
      consumer.start()
      await until(() => answered.includes('job_silent.0.0'))
      await consumer.stop(0, () => undefined)
    })

    it('a job goes through its whole life, and its webhook is delivered', async () => {
      const id = await q.created({ webhook: { url: 'https://hooks.example/x' } })
      await fill()
      const target = { provider: 'second', model: 'm' }
      const first = await q.claimed(id)
      expect(await q.store.renew(first)).toBe(true)
      expect(await q.store.retry(first, 1, [], q.clock.nowMs)).toBe(true)
      await q.store.advance(
        first,
        { hop: 1, generation: 0, target, attemptsSpent: 1, attempts: [] },
        q.clock.nowMs,
      )
      const second = await q.claimed(id)
      await q.store.park(
        second,
        { hop: 1, generation: 1, target, attemptsSpent: 1, attempts: [] },
        q.clock.nowMs,
      )
      const third = await q.claimed(id, 'w2')
      // Longer than all that its end lets go of.
      expect(await q.store.finalise(third, answer('x'.repeat(20_000)))).toBe(true)
      expect(await q.store.takeDelivery(id, 0)).not.toBeNull()
      await q.store.renewDelivery(`${id}.w.0`)
      await q.store.reschedule(id, 0)
      await q.store.recordDelivery(id, 0, { status: 'pending', reason: '500', nextAtMs: q.clock.nowMs })
      await q.store.recordDelivery(id, 1, { status: 'dead', reason: '410' })
      expect(await q.store.redeliver(id)).toBe(true)
      await q.store.recordDelivery(id, 2, { status: 'delivered', reason: '200' })
      expect(await q.store.read(id)).toMatchObject({ status: 'succeeded', delivery: { status: 'delivered' } })
    })

    it('jobs are cancelled, and expire by the sweeper', async () => {
      const [waiting, cancelled] = [await q.created({ expiresAtMs: q.clock.nowMs }), (await q.running()).id]
      await fill()
      expect(await q.store.cancel(cancelled)).toBe('running')
      q.clock.nowMs += 2_000
      await sweep(q.parts)
      expect(await q.store.read(waiting)).toMatchObject({ status: 'expired' })
    })

    it('processes tell that they live, circuits and leads of the cache go on, and the reconciler walks', async () => {
      const { redis, keys, parts } = q
      await fill()
      const heartbeat = createProcessHeartbeat(redis, keys.prefix, parts.log, () => ({
        ...{ instance: 'me', ends: { cancelled: 0, expired: 0 }, seenAtMs: q.clock.nowMs },
      }))
      heartbeat.start()
      await until(async () => (await readProcesses(redis, keys.prefix, q.clock.nowMs)).length === 1)
      await heartbeat.stop()
      expect((await createCircuitStore(redis, keys.prefix, parts.now).pause('first', true)).pausedAtMs).toBe(
        q.clock.nowMs,
      )
      expect(await createTurn(redis, keys.prefix, 'me')('something')).toBe(true)
      const walks = { redis, run: createScriptRunner(redis), keys, now: parts.now, aheadMs: () => 0 }
      await createLiveWalk(walks).next(10)
      await createIndexTrim({ ...walks, retentionMs: 0 }).next(10)
      await createOwedWrite(redis)('SET', 'full:x', 1)
      const cache = createAnswerCache({ redis, keys, leaseMs: 1_000, now: parts.now })
      expect(await cache.enter('a'.repeat(43), 'job_1')).toEqual({ kind: 'lead' })
      const room = { route: 'r', ttlMs: 1_000, maxTotalBytes: 1_000_000 }
      const kept = { statusCode: 200, body: '{}', target: { provider: 'first', model: 'm' } }
      await expect(cache.put('a'.repeat(43), 'job_1', room, kept)).rejects.toThrow(/OOM/)
      expect(await cache.endLead('a'.repeat(43), 'job_1', true)).toEqual([])
      const mirror = { route: 'r', to: { provider: 'second', model: 'm' } }
      const mirrors = createMirrorStore(redis, keys, parts.now)
      await expect(mirrors.reserve(mirror, 'mirror_1', q.clock.nowMs + 1_000, 5)).rejects.toThrow(/OOM/)
    })
  })
})
