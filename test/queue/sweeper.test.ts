import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { until } from '../../harness/until.ts'
import type { BatchRecord } from '../../src/batches/record.ts'
import { deadlineEntry, deliveryEntry, leaseEntry, webhookDoorbell } from '../../src/jobs/doorbell.ts'
import { jobWebhookRing, providerQueue, webhookQueue } from '../../src/queue/doorbells.ts'
import { createSweeper, sweep } from '../../src/queue/sweeper.ts'
import { newBatchId, newJobId } from '../../src/redis/keys.ts'
import { answer, leaseMs } from '../jobs/store-fixture.ts'
import { openQueue, type QueueFixture } from './queue-fixture.ts'

let q: QueueFixture
beforeEach(() => {
  q = openQueue()
})
afterEach(() => q.shut())

const target = { provider: 'second', model: 'm' }
const later = (ms: number): void => {
  q.clock.nowMs += ms
}

describe('the queue sweeper', () => {
  describe('a doorbell that nobody rang', () => {
    it('is rung once its time has come', async () => {
      const id = await q.created()
      await sweep(q.parts)
      expect(await q.ringingAt('first')).toEqual([])
      later(1_500)
      await sweep(q.parts)
      expect(await q.ringingAt('first')).toEqual([`${id}.0.0`])
      expect(Object.keys(await q.scheduleOf(id))).toEqual(['.x'])
    })

    it('is rung where the job was handed over to', async () => {
      const claim = await q.running()
      await q.store.advance(
        claim,
        { hop: 1, generation: 0, target, attemptsSpent: 0, attempts: [] },
        q.clock.nowMs,
      )
      later(1_500)
      await sweep(q.parts)
      expect(await q.ringingAt('first')).toEqual([])
      expect(await q.ringingAt('second')).toEqual([`${claim.id}.1.0`])
    })

    it('is rung at the time a parked job resumes', async () => {
      const claim = await q.running()
      await q.store.park(
        claim,
        { hop: 0, generation: 1, target, attemptsSpent: 0, attempts: [] },
        q.clock.nowMs + 9_000,
      )
      later(8_999)
      await sweep(q.parts)
      expect(await q.ringingAt('second')).toEqual([])
      later(1)
      await sweep(q.parts)
      expect(await q.ringingAt('second')).toEqual([`${claim.id}.0.1`])
    })

    it('comes up again when the sweeper that took it dies', async () => {
      await q.created()
      later(1_500)
      expect(await q.schedule.takeDue(10, q.clock.nowMs + 5_000)).toHaveLength(1)
      await sweep(q.parts)
      expect(await q.ringingAt('first')).toEqual([])
      later(5_000)
      await sweep(q.parts)
      expect(await q.ringingAt('first')).toHaveLength(1)
    })

    it('is taken by one of many sweepers', async () => {
      for (let i = 0; i < 50; i++) await q.created()
      later(1_500)
      const taken = await Promise.all(
        Array.from({ length: 8 }, () => q.schedule.takeDue(10, q.clock.nowMs + 5_000)),
      )
      expect(taken.flat()).toHaveLength(50)
      expect(new Set(taken.flat()).size).toBe(50)
    })

    it('that rings alone, waits once however often it is rung', async () => {
      const id = await q.created()
      await q.ring(id)
      await q.ring(id)
      expect(await q.ringingAt('first')).toEqual([`${id}.0.0`])
      expect(await q.doorbells.waiting(providerQueue('first'))).toBe(1)
    })

    it('is dropped when its job has moved on, ended or is gone', async () => {
      const [moved, ended, gone] = [await q.running(), await q.running(), await q.running()]
      await q.store.advance(
        moved,
        { hop: 1, generation: 0, target, attemptsSpent: 0, attempts: [] },
        q.clock.nowMs + 1e6,
      )
      await q.store.finalise(ended, answer('x'))
      await q.redis.del(q.keys.record(gone.id))
      for (const { id } of [moved, ended, gone]) await q.schedule.add(`${id}.0.0`, q.clock.nowMs)
      await q.schedule.remove([deadlineEntry(gone.id), leaseEntry(gone.id)])
      await sweep(q.parts)
      expect(await q.ringingAt('first')).toEqual([])
      expect(await q.schedule.has([moved, ended, gone].map(({ id }) => `${id}.0.0`))).toEqual([
        false,
        false,
        false,
      ])
      expect(await q.scheduleOf(gone.id)).toEqual({})
    })
  })

  describe('the lease of a delivery', () => {
    /** A webhook that a worker has taken. */
    const taken = async (): Promise<string> => {
      const { id } = await q.running({ webhook: { url: 'https://hooks.example/x' } })
      await q.store.cancel(id)
      await q.schedule.remove([webhookDoorbell(id, 0)])
      await q.store.takeDelivery(id, 0)
      return id
    }

    it('gives the webhook to others at its end', async () => {
      const id = await taken()
      later(leaseMs - 1)
      await sweep(q.parts)
      expect(Object.keys(await q.scheduleOf(id))).toEqual(['.w.0.l'])
      expect(Math.ceil((await q.scheduleOf(id))['.w.0.l']!)).toBe(q.clock.nowMs + 1)
      later(1)
      await sweep(q.parts)
      expect(await q.scheduleOf(id)).toEqual({ '.w.0': q.clock.nowMs })
      await sweep(q.parts)
      expect(await q.scheduleOf(id)).toEqual({})
      expect(await q.doorbells.waiting(webhookQueue)).toBe(1)
      expect(await q.store.takeDelivery(id, 0)).not.toBe(null)
    })

    it('is left to a later round when nobody could renew it', async () => {
      const id = await taken()
      later(leaseMs)
      await sweep(q.parts, true)
      expect(Object.keys(await q.scheduleOf(id))).toEqual(['.w.0.l'])
    })

    it('of a worker that stopped is not waited for', async () => {
      const id = await taken()
      await q.store.reschedule(id, 0)
      later(1_500)
      await sweep(q.parts)
      expect(await q.scheduleOf(id)).toEqual({ '.w.0': q.clock.nowMs })
    })

    it('is dropped when the delivery is done', async () => {
      const id = await taken()
      await q.store.recordDelivery(id, 0, { status: 'delivered', reason: '200' })
      await q.schedule.add(deliveryEntry(id, 0), q.clock.nowMs)
      await sweep(q.parts)
      expect(await q.scheduleOf(id)).toEqual({})
      expect(await q.doorbells.waiting(webhookQueue)).toBe(0)
    })

    it('gives that of a batch to others, too', async () => {
      const delivery = { status: 'pending', attempts: 2, reason: 'timeout' }
      const parts = { ...q.parts, readDelivery: async () => delivery as BatchRecord['delivery'] }
      const id = newBatchId('openai', 3, q.clock.nowMs)
      await q.schedule.add(deliveryEntry(id, 2), q.clock.nowMs)
      await sweep(parts)
      expect(await q.scheduleOf(id)).toEqual({ '.w.2': q.clock.nowMs })
      await sweep(parts)
      const [ring] = await q.doorbells.page(webhookQueue, 0, 9)
      expect(ring?.doorbell).toBe(webhookDoorbell(id, 2))
    })
  })

  describe('the entry of a doorbell that a sweeper has rung', () => {
    const rungBySweeper = async (leftAtMs: number, standsAtMs: number) => {
      const id = newJobId(3, q.clock.nowMs)
      const doorbell = webhookDoorbell(id, 0)
      await q.schedule.add(doorbell, standsAtMs)
      await q.doorbells.ring({ ...jobWebhookRing(doorbell, 'default', 0), takenUntilMs: leftAtMs })
      return q.scheduleOf(id)
    }

    it('is taken off', async () => {
      expect(await rungBySweeper(q.clock.nowMs + 1_500, q.clock.nowMs + 1_500)).toEqual({})
    })

    it('stays when a worker has put it back meanwhile, as it found no room for it', async () => {
      const heldUntilMs = q.clock.nowMs + 2_100
      expect(await rungBySweeper(q.clock.nowMs + 1_500, heldUntilMs)).toEqual({ '.w.0': heldUntilMs })
    })
  })

  describe('a worker’s lease', () => {
    const farDeadline = { expiresAtMs: Date.now() + 3 * 3_600_000 }

    it('keeps its job while it is renewed', async () => {
      const claim = await q.running(farDeadline)
      later(leaseMs - 1)
      expect(await q.store.renew(claim)).toBe(true)
      later(leaseMs - 1)
      await sweep(q.parts)
      expect(await q.store.read(claim.id)).toMatchObject({ status: 'running', generation: 0 })
      expect(await q.scheduleOf(claim.id)).toMatchObject({ '.l': q.clock.nowMs + 1 })
    })

    it('that ends gives the job to another, under a doorbell of another name', async () => {
      const lost = await q.running(farDeadline)
      later(leaseMs)
      await sweep(q.parts)
      await sweep(q.parts)
      expect(await q.ringingAt('first')).toEqual([`${lost.id}.0.1`])
      expect(await q.scheduleOf(lost.id)).toEqual({})
      const taken = await q.claimed(lost.id, 'w2')
      expect(taken).toMatchObject({ generation: 1, attemptsSpent: 0 })
      expect(taken.attempts).toEqual([
        expect.objectContaining({ reason: 'worker_lost', possibly_billed: true }),
      ])
      expect(await q.store.renew(lost)).toBe(false)
      expect(await q.scheduleOf(lost.id)).toEqual({ '.l': q.clock.nowMs + leaseMs })
    })

    it('that ends while nothing ran beside the job is told apart, also in the pause before a retry', async () => {
      const lost = await q.running(farDeadline)
      expect(await q.store.isolate(lost, 'alone')).toBe(true)
      expect(await q.store.retry(lost, 0, [], q.clock.nowMs + 5)).toBe(true)
      later(leaseMs)
      await sweep(q.parts)
      const taken = await q.claimed(lost.id, 'w2')
      expect(taken.attempts).toMatchObject([{ reason: 'worker_crashed', possibly_billed: true }])
      expect(await q.store.isolate(lost, 'alone')).toBe(false)
    })

    it('that ends while the job waited to be alone is not told against it', async () => {
      const lost = await q.running(farDeadline)
      expect(await q.store.isolate(lost, 'waits')).toBe(true)
      later(leaseMs)
      await sweep(q.parts)
      expect((await q.claimed(lost.id, 'w2')).attempts).toEqual([])
      expect(await q.store.isolate(lost, 'waits')).toBe(false)
    })

    it('is left alone after an outage, until workers could renew it', async () => {
      const claim = await q.running(farDeadline)
      later(leaseMs)
      await sweep(q.parts, true)
      expect(await q.store.read(claim.id)).toMatchObject({ status: 'running', generation: 0 })
      expect(await q.store.renew(claim)).toBe(true)
      later(leaseMs - 1)
      await sweep(q.parts)
      expect(await q.store.read(claim.id)).toMatchObject({ status: 'running', generation: 0 })
    })

    it.each(['succeeded', 'handed over', 'parked', 'cancelled'])('ends with the run: %s', async how => {
      const claim = await q.running(farDeadline)
      expect(await q.scheduleOf(claim.id)).toHaveProperty('.l')
      const move = { hop: 1, generation: 0, target, attemptsSpent: 0, attempts: [] }
      if (how === 'succeeded') await q.store.finalise(claim, answer('x'))
      if (how === 'handed over') await q.store.advance(claim, move, q.clock.nowMs)
      if (how === 'parked') await q.store.park(claim, move, q.clock.nowMs)
      if (how === 'cancelled') await q.store.cancel(claim.id)
      expect(await q.scheduleOf(claim.id)).not.toHaveProperty('.l')
    })
  })

  describe('the order at a provider', () => {
    it('is high, then default in the order of arrival, then low', async () => {
      const ids: string[] = []
      for (const priority of ['low', 'default', 'default', 'high'] as const) {
        const id = await q.created({ priority })
        q.clock.nowMs += 1
        await q.ring(id)
        ids.push(`${id}.0.0`)
      }
      const [low, first, second, high] = ids
      expect(await q.ringingAt('first')).toEqual([high, first, second, low])
    })
  })

  describe('a sweeper', () => {
    it('sweeps the other shards while one cannot be swept', async () => {
      const damaged = 3
      const ids = [damaged, 5, 7].map(shard => newJobId(shard, q.clock.nowMs))
      for (const id of ids) await q.created({ id })
      await q.redis.rename(q.keys.schedule(damaged), `${q.keys.prefix}:aside`)
      await q.redis.set(q.keys.schedule(damaged), 'not a sorted set')
      later(1_500)
      const sweeper = createSweeper({ ...q.parts, steadySinceMs: () => 0 }, leaseMs)
      sweeper.start()
      onTestFinished(sweeper.stop)
      const waiting = () => q.doorbells.waiting(providerQueue('first'))
      await until(async () => (await waiting()) === ids.length - 1)
      await q.redis.rename(`${q.keys.prefix}:aside`, q.keys.schedule(damaged))
      await until(async () => (await waiting()) === ids.length)
    })
  })

  describe('a deadline', () => {
    it('ends queued and parked jobs though no worker runs', async () => {
      const queued = await q.created()
      const parked = await q.running()
      const never = q.clock.nowMs + 9e6
      await q.store.park(parked, { hop: 0, generation: 1, target, attemptsSpent: 0, attempts: [] }, never)
      later(60_000)
      await sweep(q.parts)
      for (const id of [queued, parked.id]) {
        expect((await q.store.read(id))!.status).toBe('expired')
        expect(await q.scheduleOf(id)).toEqual({})
      }
      expect(await q.ringingAt('first')).toEqual([])
    })

    it('leaves a running job to its worker at first, then ends it', async () => {
      const { id } = await q.running()
      later(60_000)
      await sweep(q.parts)
      expect((await q.store.read(id))!.status).toBe('running')
      expect(await q.scheduleOf(id)).toMatchObject({ '.x': q.clock.nowMs + 5_000 })
      later(5_000)
      await sweep(q.parts)
      expect((await q.store.read(id))!.status).toBe('expired')
      expect(await q.scheduleOf(id)).toEqual({})
    })

    it('that comes up early goes back', async () => {
      const id = await q.created()
      const expiresAtMs = q.clock.nowMs + 60_000
      await q.schedule.postpone(`${id}.x`, q.clock.nowMs)
      await sweep(q.parts)
      expect(await q.scheduleOf(id)).toMatchObject({ '.x': expiresAtMs })
    })
  })
})
