import { afterAll, describe, expect, it } from 'vitest'
import { parseRecord } from '../../src/jobs/record.ts'
import { shardOf } from '../../src/redis/keys.ts'
import { createScriptRunner, type RunScript } from '../../src/redis/scripts.ts'
import { createDeliveries, type Deliveries } from '../../src/webhooks/deliveries.ts'
import { answer, deadLetterRetentionMs, leaseMs, openStore, retentionMs } from '../jobs/store-fixture.ts'

const { store, schedule, redis, keys, clock, running, scheduleOf, close } = openStore()
afterAll(close)

const webhook = { url: 'https://hooks.example/x' }

/** A job that has ended and owes its webhook. */
const finished = async (): Promise<string> => {
  const claim = await running({ webhook })
  await store.finalise(claim, answer('x'))
  return claim.id
}

describe('the delivery store', () => {
  describe('a webhook delivery', () => {
    it('that is made ends the matter and starts the retention', async () => {
      const id = await finished()
      expect(await store.recordDelivery(id, 0, { status: 'delivered', reason: '200' })).toBe(true)
      expect((await store.read(id))!.delivery).toMatchObject({
        status: 'delivered',
        attempts: 1,
        reason: '200',
      })
      expect(await scheduleOf(id)).toEqual({})
      expect(await redis.pttl(keys.record(id))).toBeLessThanOrEqual(retentionMs)
      expect(await redis.pttl(keys.record(id))).toBeGreaterThan(0)
    })

    it('that failed is due again', async () => {
      const id = await finished()
      const nextAtMs = clock.nowMs + 5_000
      await store.recordDelivery(id, 0, { status: 'pending', reason: 'status_500', nextAtMs })
      expect((await store.read(id))!.delivery).toMatchObject({
        status: 'pending',
        attempts: 1,
        reason: 'status_500',
      })
      expect(await scheduleOf(id)).toEqual({ '.w.1': nextAtMs })
      expect(await redis.pttl(keys.record(id))).toBe(-1)
    })

    it('is counted once though two workers make it', async () => {
      const id = await finished()
      await store.recordDelivery(id, 0, { status: 'pending', reason: 'timeout', nextAtMs: clock.nowMs })
      expect(await store.recordDelivery(id, 0, { status: 'delivered', reason: '200' })).toBe(false)
      await store.recordDelivery(id, 1, { status: 'delivered', reason: '200' })
      expect(await store.recordDelivery(id, 2, { status: 'dead', reason: 'gone_410' })).toBe(false)
      expect((await store.read(id))!.delivery).toMatchObject({ status: 'delivered', attempts: 2 })
    })

    it('whose receiver has no room is rung again later, by whoever comes first, and is no attempt', async () => {
      const id = await finished()
      await schedule.remove([`${id}.w.0`]) // as whoever rang it has done
      await store.takeDelivery(id, 0)
      const heldAtMs = clock.nowMs
      for (const dueAtMs of [heldAtMs + 2_000, heldAtMs + 9_000]) {
        expect(await store.holdDelivery(id, 0, dueAtMs)).toBe(true)
        expect(await scheduleOf(id)).toEqual({ '.w.0': dueAtMs })
        clock.nowMs = dueAtMs
        expect(await store.takeDelivery(id, 0)).toMatchObject({ held: String(heldAtMs) })
        await schedule.remove([`${id}.w.0`])
      }
      expect((await store.read(id))!.delivery).toMatchObject({ status: 'pending', attempts: 0, reason: null })
      const nextAtMs = clock.nowMs + 5_000
      await store.recordDelivery(id, 0, { status: 'pending', reason: 'timeout', nextAtMs })
      expect(await redis.hexists(keys.record(id), 'held')).toBe(0)
      expect(await store.holdDelivery(id, 0, nextAtMs)).toBe(false)
      expect(await scheduleOf(id)).toEqual({ '.w.1': nextAtMs })
    })

    it('whose worker stopped is owed again, once its ring has ended', async () => {
      const id = await finished()
      await schedule.remove([`${id}.w.0`]) // as whoever rang it has done
      await store.takeDelivery(id, 0)
      await store.reschedule(id, 0)
      expect(await scheduleOf(id)).toEqual({ '.w.0.l': clock.nowMs + 1_500 })
    })
  })

  describe('the doorbell of a webhook', () => {
    it('gets the record that waits for it', async () => {
      const id = await finished()
      const fields = await store.takeDelivery(id, 0)
      expect(parseRecord(id, fields!)).toEqual(await store.read(id))
    })

    it('leads nowhere when another attempt is due, none is, or the job is not there', async () => {
      const id = await finished()
      expect(await store.takeDelivery(id, 1)).toBe(null)
      await store.recordDelivery(id, 0, { status: 'delivered', reason: '200' })
      expect(await store.takeDelivery(id, 0)).toBe(null)
      expect(await store.takeDelivery(id, 1)).toBe(null)
      expect(await store.takeDelivery('job_00000000000000000000000000', 0)).toBe(null)
      expect(await store.takeDelivery((await running({ webhook })).id, 0)).toBe(null)
    })
  })

  describe('a delivery that a worker has taken', () => {
    const taken = async (): Promise<string> => {
      const id = await finished()
      expect(await store.takeDelivery(id, 0)).not.toBe(null)
      return id
    }

    it('is nobody else’s until the lease ends', async () => {
      const id = await taken()
      expect(Math.ceil((await scheduleOf(id))['.w.0.l']!)).toBe(clock.nowMs + leaseMs)
      clock.nowMs += leaseMs - 1
      expect(await store.takeDelivery(id, 0)).toBe(null)
      clock.nowMs += 1
      expect(await store.takeDelivery(id, 0)).not.toBe(null)
    })

    it('stays with a worker that renews, until it is done', async () => {
      const id = await taken()
      clock.nowMs += leaseMs - 1
      await store.renewDelivery(`${id}.w.0`)
      clock.nowMs += leaseMs - 1
      expect(await store.takeDelivery(id, 0)).toBe(null)
      await store.recordDelivery(id, 0, { status: 'delivered', reason: '200' })
      await store.renewDelivery(`${id}.w.0`)
      expect(await scheduleOf(id)).toEqual({})
    })

    it('is given to one of many', async () => {
      const id = await finished()
      const all = await Promise.all(Array.from({ length: 20 }, () => store.takeDelivery(id, 0)))
      expect(all.filter(record => record !== null)).toHaveLength(1)
    })

    it('is not put back for others', async () => {
      const id = await taken()
      await schedule.remove([`${id}.w.0`])
      expect(await store.recoverDelivery(id, 0)).toBe(false)
      await store.recordDelivery(id, 0, { status: 'delivered', reason: '200' })
      expect(await store.recoverDelivery(id, 0)).toBe(false)
      expect(await scheduleOf(id)).toEqual({})
    })
  })

  describe('deliveries of one turn', () => {
    const run = createScriptRunner(redis)
    const times = { leaseMs, retentionMs, deadLetterRetentionMs, now: () => clock.nowMs }
    const deliveriesOn = (packed: RunScript['packed']): Deliveries =>
      createDeliveries({ redis, run: Object.assign(run, { packed }), keys, recordOf: keys.record, ...times })
    const { packed } = run

    it('share a script to be taken, and another to be recorded, and each fares for itself', async () => {
      const calls: string[] = []
      const deliveries = deliveriesOn((script, ...rest) => {
        calls.push(script.name)
        return packed(script, ...rest)
      })
      const [good, bad, made] = await Promise.all([finished(), finished(), finished()])
      await store.recordDelivery(made, 0, { status: 'delivered', reason: '200' })
      const all = [good, 'job_00000000000000000000000005', made, bad]

      const taken = await Promise.all(all.map(id => deliveries.takeDelivery(id, 0)))
      expect(taken.map(record => record?.state ?? null)).toEqual(['succeeded', null, null, 'succeeded'])

      const nextAtMs = clock.nowMs + 5_000
      const recorded = await Promise.all([
        deliveries.recordDelivery(good, 0, { status: 'delivered', reason: '200' }),
        deliveries.recordDelivery(all[1]!, 0, { status: 'dead', reason: 'gone_410' }),
        deliveries.recordDelivery(made, 0, { status: 'dead', reason: 'gone_410' }),
        deliveries.recordDelivery(bad, 0, { status: 'pending', reason: 'status_500', nextAtMs }),
      ])
      expect(recorded).toEqual([true, false, false, true])
      expect((await store.read(good))!.delivery).toMatchObject({
        status: 'delivered',
        attempts: 1,
        reason: '200',
      })
      expect((await store.read(made))!.delivery).toMatchObject({
        status: 'delivered',
        attempts: 1,
        reason: '200',
      })
      expect((await store.read(bad))!.delivery).toMatchObject({ status: 'pending', attempts: 1 })
      expect(await scheduleOf(good)).toEqual({})
      expect(await scheduleOf(bad)).toEqual({ '.w.1': nextAtMs })
      expect(await redis.exists(keys.deadLetters(shardOf(good), 'jobs'))).toBe(0)
      expect(calls).toEqual(['webhooks/take-delivery', 'webhooks/delivery'])
    })

    it('are taken and counted once though their script is sent again after its reply was lost', async () => {
      const deliveries = deliveriesOn(async (...call) => {
        await packed(...call)
        return packed(...call)
      })
      const id = await finished()
      expect(await deliveries.takeDelivery(id, 0)).toMatchObject({ state: 'succeeded' })
      const nextAtMs = clock.nowMs + 5_000
      await deliveries.recordDelivery(id, 0, { status: 'pending', reason: 'status_500', nextAtMs })
      expect((await store.read(id))!.delivery).toMatchObject({ status: 'pending', attempts: 1 })
      expect(await scheduleOf(id)).toEqual({ '.w.1': nextAtMs })
    })
  })
})
