import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { placeOf } from '../../src/domain/place.ts'
import { leaseEntry, webhookDoorbell } from '../../src/jobs/doorbell.ts'
import { createIndexTrim } from '../../src/jobs/index-trim.ts'
import { createLiveWalk } from '../../src/jobs/live-walk.ts'
import type { NewJob } from '../../src/jobs/types.ts'
import { jobWebhookRing, providerQueue } from '../../src/queue/doorbells.ts'
import { createReconciler, reconcileRecords, walkOn } from '../../src/queue/reconciler.ts'
import { sweep } from '../../src/queue/sweeper.ts'
import { createScriptRunner } from '../../src/redis/scripts.ts'
import { answer } from '../jobs/store-fixture.ts'
import { indexedJobs } from '../support/indexed-jobs.ts'
import { openQueue, type QueueFixture } from './queue-fixture.ts'

let q: QueueFixture
beforeEach(() => {
  q = openQueue()
})
afterEach(() => q.shut())

const webhook = { url: 'https://hooks.example/x' }
const farDeadline = (): Partial<NewJob> => ({ expiresAtMs: q.clock.nowMs + 86_400_000 })

const reconcile = async (id: string): Promise<void> => {
  const records = await q.store.readHeads([id])
  await reconcileRecords(
    q.parts,
    records.filter(r => r !== null),
  )
}
const settle = (): void => {
  q.clock.nowMs += 60_000
}
const ring = (id: string): Promise<void> => q.ring(id)
/** A worker takes what waits at the first provider, and never claims it. */
const takeAll = async (): Promise<void> => {
  const ask = { chunk: 'chunk', most: 100, worker: 'silent', free: 100, claimed: [] }
  await q.doorbells.take(providerQueue('first'), ask)
}

/** A job that ended so long before now, and whose webhook is not in the schedule. */
const ended = async (atMs = 0): Promise<string> => {
  q.clock.nowMs += atMs
  const claim = await q.running({ ...farDeadline(), webhook })
  await q.store.finalise(claim, answer('x'))
  await q.schedule.remove([webhookDoorbell(claim.id, 0)])
  q.clock.nowMs -= atMs
  return claim.id
}
const ringWebhooks = (one: string, other: string, attempt = 0): Promise<void> =>
  q.doorbells.ringAll(
    [one, other].map(id => jobWebhookRing(webhookDoorbell(id, attempt), 'default', q.clock.nowMs)),
  )

describe('the queue reconciler', () => {
  describe('the reconciler puts back what is lost', () => {
    it('a doorbell that was removed from its queue by hand', async () => {
      const id = await q.created(farDeadline())
      await ring(id)
      await q.redis.del(await q.redis.keys(`${q.keys.ready(providerQueue('first'))}*`))
      await reconcile(id)
      expect(await q.scheduleOf(id)).toEqual({}) // too young to tell
      settle()
      await reconcile(id)
      await sweep(q.parts)
      expect(await q.ringingAt('first')).toEqual([`${id}.0.0`])
    })

    it('a doorbell rung long before all that wait: those before them have been seen to', async () => {
      q.clock.nowMs -= 120_000
      const id = await q.created(farDeadline())
      await q.schedule.remove([`${id}.0.0`])
      q.clock.nowMs += 120_000
      await ring(await q.created(farDeadline()))
      await reconcile(id)
      expect(await q.scheduleOf(id)).toEqual({ '.0.0': q.clock.nowMs })
    })

    it('a doorbell rung after one that its worker answered long ago, and keeps until it has room', async () => {
      await ring(await q.created(farDeadline()))
      await takeAll()
      const id = await q.created(farDeadline())
      await q.schedule.remove([`${id}.0.0`])
      settle()
      await reconcile(id)
      expect(await q.scheduleOf(id)).toEqual({ '.0.0': q.clock.nowMs })
    })

    it('a running job whose worker and lease are gone', async () => {
      const { id } = await q.running(farDeadline())
      await q.schedule.remove([leaseEntry(id)])
      settle()
      await reconcile(id)
      const record = (await q.store.read(id))!
      expect(record).toMatchObject({ status: 'queued', hop: 0, generation: 1 })
      expect(record.attempts).toEqual([
        expect.objectContaining({ verdict: null, reason: 'worker_lost', possibly_billed: true }),
      ])
      // Its worker's end is not the job's fault.
      expect((await q.claimed(id, 'w2')).attemptsSpent).toBe(0)
    })

    it('a parked job’s time', async () => {
      const claim = await q.running(farDeadline())
      const move = { hop: 0, generation: 1, target: claim.target, attemptsSpent: 0, attempts: [] }
      const resumesAtMs = q.clock.nowMs + 500_000
      await q.store.park(claim, move, resumesAtMs)
      await q.schedule.remove([`${claim.id}.0.1`])
      settle()
      await reconcile(claim.id)
      expect(await q.scheduleOf(claim.id)).toEqual({ '.0.1': resumesAtMs })
      expect((await q.store.read(claim.id))!.status).toBe('parked')
    })

    it('a webhook that is owed', async () => {
      const claim = await q.running({ ...farDeadline(), webhook })
      await q.store.finalise(claim, answer('x'))
      await q.schedule.remove([`${claim.id}.w.0`])
      settle()
      await reconcile(claim.id)
      expect(await q.scheduleOf(claim.id)).toEqual({ '.w.0': q.clock.nowMs })
    })

    it('a webhook that was due long before all that ring, and then gives it the time to be seen to', async () => {
      const id = await ended(-120_000)
      await ringWebhooks(await ended(), await ended())
      await reconcile(id)
      expect(await q.scheduleOf(id)).toEqual({ '.w.0': q.clock.nowMs })
      await q.doorbells.ring(jobWebhookRing(`${id}.w.0`, 'default', q.clock.nowMs))
      settle()
      await reconcile(id)
      expect(await q.scheduleOf(id)).toEqual({})
    })

    it('the timer of a deadline that has come near', async () => {
      const id = await q.created(farDeadline())
      settle()
      await reconcile(id)
      expect(Object.keys(await q.scheduleOf(id))).toEqual(['.0.0'])
      const { expiresAtMs } = (await q.store.read(id))!
      q.clock.nowMs = expiresAtMs - 60_000
      await reconcile(id)
      expect(await q.scheduleOf(id)).toMatchObject({ '.x': expiresAtMs })
    })
  })

  it('walks over the live jobs, as long as it is its turn, and trims their index', async () => {
    const { redis, keys, clock, log, ...parts } = { ...q, ...q.parts }
    const [gone, id] = [await q.created(farDeadline()), await q.created(farDeadline())]
    await q.schedule.remove([`${gone}.0.0`, `${id}.0.0`])
    await redis.del(keys.record(gone))
    settle()
    const site = { redis, keys, run: createScriptRunner(redis), now: parts.now, aheadMs: () => 3_600_000 }
    let turns = 0
    const reconciler = createReconciler({
      ...{ ...parts, log, recoverDelivery: parts.recoverDelivery },
      walk: createLiveWalk(site),
      trim: createIndexTrim({ ...site, retentionMs: -86_400_000 }),
      mayWalk: async () => turns++ > 0,
    })
    reconciler.start()
    await until(async () => (await q.scheduleOf(id))['.0.0'] === clock.nowMs)
    await reconciler.stop()
    expect(turns).toBe(2)
    expect(await indexedJobs(redis, keys)).toEqual([id])
  })

  it('rings again what a worker has just taken, and the second doorbell leads nowhere', async () => {
    const id = await q.created(farDeadline())
    await ring(id)
    settle()
    await takeAll()
    await reconcile(id)
    expect(await q.scheduleOf(id)).toEqual({ '.0.0': q.clock.nowMs })
    await q.claimed(id)
    expect(await q.store.claim(id, 0, 0, 'w2')).toBe('busy')
  })

  it('rings nothing again that waits, whatever else was rung of late', async () => {
    const { redis, keys, clock, log, ...parts } = { ...q, ...q.parts }
    const site = { redis, keys, run: createScriptRunner(redis), now: parts.now, aheadMs: () => 3_600_000 }
    const read: string[] = []
    const store: typeof parts.store = {
      ...parts.store,
      readHeads: ids => {
        read.push(...ids)
        return parts.store.readHeads(ids)
      },
    }
    const walking = {
      ...{ ...parts, store, log, mayWalk: async () => true },
      ...{ walk: createLiveWalk(site), trim: createIndexTrim({ ...site, retentionMs: 86_400_000 }) },
    }
    const walkAll = async (): Promise<void> => {
      clock.nowMs += 60_000
      for (let step = 0; step < 4; step++) await walkOn(walking)
    }
    const ids = await Promise.all(
      Array.from({ length: 300 }, (_, i) =>
        q.created({ ...farDeadline(), tenant: i % 3 ? 'acme' : 'default' }),
      ),
    )
    await Promise.all(ids.map(ring))
    await ringWebhooks(await ended(), await ended())
    for (let round = 0; round < 5; round++) {
      // All that was rung before this one was once taken for lost.
      await ring(await q.created({ ...farDeadline(), priority: 'high' }))
      await walkAll()
    }
    expect(await q.schedule.size()).toBe(0)
    expect(read).toEqual([])

    const [lost] = await q.store.readHeads([ids[7]!])
    const entry = { doorbell: `${ids[7]}.0.0`, place: placeOf(lost!) }
    await q.doorbells.withdraw(providerQueue('first'), [entry])
    await walkAll()
    expect(await q.scheduleOf(ids[7]!)).toEqual({ '.0.0': clock.nowMs })
    expect(await q.schedule.size()).toBe(1)
  })

  describe('the reconciler leaves alone', () => {
    it('doorbells that wait, in the schedule or at their queue', async () => {
      const [owed, rung] = [await q.created(farDeadline()), await q.created(farDeadline())]
      await ring(rung)
      settle()
      const owedBefore = await q.scheduleOf(owed)
      await reconcile(owed)
      await reconcile(rung)
      expect(await q.scheduleOf(owed)).toEqual(owedBefore)
      expect(await q.scheduleOf(rung)).toEqual({})
    })

    it('a doorbell that waits with others at its queue', async () => {
      const [first, id] = [await q.created(farDeadline()), await q.created(farDeadline())]
      await Promise.all([ring(first), ring(id)])
      settle()
      await reconcile(id)
      expect(await q.scheduleOf(id)).toEqual({})
    })

    it('a backlog behind a doorbell that has just been rung', async () => {
      const ids: string[] = []
      for (let i = 0; i < 20; i++) ids.push(await q.created(farDeadline()))
      await Promise.all(ids.map(ring))
      settle()
      await ring(await q.created({ ...farDeadline(), priority: 'high' }))
      for (const id of ids) await reconcile(id)
      for (const id of ids) expect(await q.scheduleOf(id)).toEqual({})
      expect(await q.doorbells.waiting(providerQueue('first'))).toBe(21)
    })

    it('a doorbell that waits where a job was moved to long after it was made', async () => {
      q.clock.nowMs -= 120_000
      const [moved, lost] = [await q.running(farDeadline()), await q.running(farDeadline())]
      q.clock.nowMs += 120_000
      await q.store.advance(
        moved,
        { hop: 1, generation: 0, target: moved.target, attemptsSpent: 0, attempts: [] },
        q.clock.nowMs,
      )
      await q.store.recover((await q.store.read(lost.id))!)
      await q.ring(moved.id, `${moved.id}.1.0`)
      await q.ring(lost.id, `${lost.id}.0.1`)
      settle()
      await reconcile(moved.id)
      await reconcile(lost.id)
      expect(await q.scheduleOf(moved.id)).toEqual({})
      expect(await q.scheduleOf(lost.id)).toEqual({})
    })

    it('a running job that its worker holds', async () => {
      const { id } = await q.running(farDeadline())
      settle()
      await reconcile(id)
      expect(await q.store.read(id)).toMatchObject({ status: 'running', generation: 0, attempts: [] })
    })

    it('a job that moved on while it looked', async () => {
      const claim = await q.running(farDeadline())
      const seen = (await q.store.read(claim.id))!
      const move = { hop: 1, generation: 0, target: claim.target, attemptsSpent: 0, attempts: [] }
      await q.store.advance(claim, move, q.clock.nowMs)
      expect(await q.store.recover(seen)).toBe(false)
      await q.store.cancel(claim.id)
      expect(await q.store.recover((await q.store.read(claim.id))!)).toBe(false)
    })

    it('a delivery that waits at its queue', async () => {
      const claim = await q.running({ ...farDeadline(), webhook })
      await q.store.finalise(claim, answer('x'))
      await q.doorbells.ring(jobWebhookRing(`${claim.id}.w.0`, 'default', q.clock.nowMs))
      settle()
      await reconcile(claim.id)
      expect(await q.scheduleOf(claim.id)).toEqual({})
    })

    it('a delivery that waits with others at its queue', async () => {
      const [first, id] = [await ended(), await ended()]
      await ringWebhooks(first, id)
      settle()
      await reconcile(id)
      expect(await q.scheduleOf(id)).toEqual({})
    })

    it('one that waits there with others long after the job has ended', async () => {
      const [failed, redelivered] = [await ended(-120_000), await ended(-120_000)]
      const nextAtMs = q.clock.nowMs
      await q.store.recordDelivery(failed, 0, { status: 'pending', reason: 'status_500', nextAtMs })
      await q.store.recordDelivery(redelivered, 0, { status: 'dead', reason: 'gone_410' })
      await q.store.redeliver(redelivered)
      await ringWebhooks(failed, redelivered, 1)
      settle()
      await reconcile(failed)
      await reconcile(redelivered)
      expect(await q.scheduleOf(failed)).toEqual({})
      expect(await q.scheduleOf(redelivered)).toEqual({})
    })

    it('a delivery that its worker holds', async () => {
      const id = await ended()
      await q.store.takeDelivery(id, 0)
      await q.schedule.remove([webhookDoorbell(id, 0)])
      settle()
      await reconcile(id)
      expect(Object.keys(await q.scheduleOf(id))).toEqual(['.w.0.l'])
    })
  })
})
