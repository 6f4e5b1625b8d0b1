import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { webhookDoorbell } from '../../src/jobs/doorbell.ts'
import { webhookQueue } from '../../src/queue/doorbells.ts'
import { sweep } from '../../src/queue/sweeper.ts'
import { newBatchId, shardOf } from '../../src/redis/keys.ts'
import { createScriptRunner } from '../../src/redis/scripts.ts'
import { createDeliveries, type Deliveries } from '../../src/webhooks/deliveries.ts'
import { createOwedAnnouncements } from '../../src/webhooks/owed.ts'
import { reconcileOwed } from '../../src/webhooks/reconciler.ts'
import { openQueue, type QueueFixture } from '../queue/queue-fixture.ts'

let q: QueueFixture
beforeEach(() => {
  q = openQueue()
})
afterEach(() => q.shut())

const now = (): number => q.clock.nowMs
const shared = () => ({ redis: q.redis, run: createScriptRunner(q.redis), keys: q.keys, now })
const deliveriesOf = (recordOf: (id: string) => string): Deliveries =>
  createDeliveries({
    ...shared(),
    ...{ recordOf, leaseMs: 15_000, retentionMs: 3_600_000, deadLetterRetentionMs: 3_600_000 },
  })
const reconcile = () => reconcileOwed({ ...q.parts, owed: createOwedAnnouncements(shared()) })
const settle = (): void => {
  q.clock.nowMs += 60_000
}
const owed = (id: string): Promise<string[]> => q.redis.zrange(q.keys.owed(shardOf(id)), '0', '-1')

/** A batch that a feeder holds, with a webhook. */
const running = async () => {
  const id = newBatchId('openai', 7, q.clock.nowMs)
  const createdAtMs = q.clock.nowMs
  await q.batches.create({
    ...{ id, tenant: 'default', endpoint: '/v1/chat/completions', inputFileId: null, input: [] },
    ...{ dialect: 'openai', completionWindow: '24h', createdAtMs, expiresAtMs: createdAtMs + 86_400_000 },
    ...{ total: null, metadata: null, webhook: { url: 'https://hooks.example/b' }, maxCostUsd: null },
    ...{ outputExpiresAfterMs: null, apiVersion: null, retryOf: null, fingerprint: id, replay: false },
  })
  const lease = { id, token: 'mine' }
  await q.work.take(lease, q.clock.nowMs + 5_000)
  return lease
}
/** One that has ended; its webhook stands in the schedule, as when who ended it was killed before it rang. */
const ended = async (): Promise<string> => {
  const lease = await running()
  const fault = { code: 'empty_file', message: 'no lines', param: null, line: null }
  const record = (await q.batches.read(lease.id))!
  await q.work.end(lease, record, { output: null, error: null }, [fault])
  return lease.id
}
/** A notice that it is blocked. */
const blocked = async (): Promise<string> => {
  const lease = await running()
  const error = { source: 'provider', message: 'no money' }
  const blocking = { sinceMs: q.clock.nowMs, reason: 'out_of_quota', provider: 'first', model: 'm', error }
  await q.work.block(lease, blocking as never)
  return `${lease.id}-1`
}
/** A lost tail of Redis' log, or an operator's hand. */
const loseDoorbell = (id: string, attempt = 0): Promise<void> =>
  q.schedule.remove([webhookDoorbell(id, attempt), `${webhookDoorbell(id, attempt)}.l`])

const ringing = async (): Promise<string[]> => {
  const pages = await q.doorbells.page(webhookQueue, 0, 100)
  return pages.map(({ doorbell }) => doorbell)
}

describe('the reconciler of deliveries', () => {
  describe.each([
    ['the webhook of a batch', ended, (id: string) => q.keys.batch(id)],
    ['the notice of a blocked batch', blocked, (id: string) => q.keys.notice(id)],
  ] as const)('%s', (_, make, keyOf) => {
    it('is rung though who owed it was killed before it rang', async () => {
      const id = await make()
      await sweep(q.parts)
      expect(await ringing()).toEqual([`${id}.w.0`])
    })

    it('is rung though its doorbell and its entry in the schedule are lost', async () => {
      const id = await make()
      await loseDoorbell(id)
      await reconcile()
      expect(await q.scheduleOf(id)).toEqual({}) // too young to tell
      settle()
      await reconcile()
      await sweep(q.parts)
      expect(await ringing()).toEqual([`${id}.w.0`])
    })

    it('is rung for its next attempt, too', async () => {
      const id = await make()
      const nextAtMs = q.clock.nowMs + 5_000
      await deliveriesOf(keyOf).recordDelivery(id, 0, { status: 'pending', reason: 'timeout', nextAtMs })
      await loseDoorbell(id, 1)
      settle()
      await reconcile()
      expect(await q.scheduleOf(id)).toEqual({}) // due since less than a minute
      settle()
      await reconcile()
      await sweep(q.parts)
      expect(await ringing()).toEqual([`${id}.w.1`])
    })

    it('is left to the schedule, to the ring and to the worker that has it', async () => {
      const id = await make()
      settle()
      await reconcile()
      expect(Object.keys(await q.scheduleOf(id))).toEqual(['.w.0'])
      await sweep(q.parts)
      settle()
      await reconcile()
      expect(await q.scheduleOf(id)).toEqual({}) // it is rung, and waits
      await q.redis.del(...(await q.redis.keys(`${q.keys.prefix}:{webhooks}:*`)))
      await deliveriesOf(keyOf).takeDelivery(id, 0)
      settle()
      await reconcile()
      expect(Object.keys(await q.scheduleOf(id))).toEqual(['.w.0.l'])
    })

    it.each(['delivered', 'dead'] as const)('is owed until it is %s', async status => {
      const id = await make()
      expect(await owed(id)).toEqual([id])
      await deliveriesOf(keyOf).recordDelivery(id, 0, { status, reason: 'x' })
      expect(await owed(id)).toEqual([])
      settle()
      await reconcile()
      expect(await q.scheduleOf(id)).toEqual({})
    })

    it('is owed anew when its dead letter is sent again', async () => {
      const id = await make()
      await deliveriesOf(keyOf).recordDelivery(id, 0, { status: 'dead', reason: 'gone_410' })
      await deliveriesOf(keyOf).redeliver(id)
      await loseDoorbell(id, 1)
      settle()
      await reconcile()
      expect(Object.keys(await q.scheduleOf(id))).toEqual(['.w.1'])
    })

    it('is forgotten with its batch', async () => {
      const id = await make()
      await q.redis.del(keyOf(id))
      settle()
      await reconcile()
      expect(await owed(id)).toEqual([])
    })
  })

  it('many that wait are all looked at, round by round', async () => {
    const ids = await Promise.all(Array.from({ length: 250 }, ended))
    await q.schedule.remove(ids.map(id => webhookDoorbell(id, 0)))
    settle()
    for (let round = 0; round < 3; round++) await reconcile()
    const waiting = await q.schedule.has(ids.map(id => webhookDoorbell(id, 0)))
    expect(waiting.every(Boolean)).toBe(true)
  })
})
