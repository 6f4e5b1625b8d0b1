import { Worker } from 'bullmq'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { leaseEntry, webhookDoorbell } from '../../src/jobs/doorbell.ts'
import type { NewJob } from '../../src/jobs/new-job.ts'
import { providerQueue, queueName, webhookQueue } from '../../src/queue/doorbells.ts'
import { patrolRecords } from '../../src/queue/reconciler.ts'
import { sweep } from '../../src/queue/sweeper.ts'
import { answer } from '../jobs/store-fixture.ts'
import { openQueue, type QueueFixture } from './queue-fixture.ts'

let q: QueueFixture
beforeEach(() => {
  q = openQueue()
})
afterEach(() => q.shut())

const webhook = { url: 'https://hooks.example/x' }
const farDeadline = (): Partial<NewJob> => ({ expiresAtMs: q.clock.nowMs + 86_400_000 })

const patrol = async (id: string): Promise<void> => {
  const records = await q.store.readHeads([id])
  await patrolRecords(
    q.parts,
    records.filter(r => r !== null),
  )
}
const settle = (): void => {
  q.clock.nowMs += 60_000
}
const ring = async (id: string): Promise<void> => {
  await q.doorbells.ring({ queue: providerQueue('first'), doorbell: `${id}.0.0` })
}
/** A worker fetches the next ring, and keeps it: as if for so long by now. */
const keepRing = async (forMs: number): Promise<void> => {
  const { redis, keys } = q
  const name = queueName(providerQueue('first'))
  const worker = new Worker(name, null, { connection: redis, prefix: keys.prefix, autorun: false })
  try {
    const { id } = (await worker.getNextJob('w1', { block: false }))!
    await redis.hset(q.queueOf('first').toKey(id!), 'processedOn', q.clock.nowMs - forMs)
  } finally {
    await worker.close()
  }
}

/** A job that ended so long before now, and whose webhook is not in the agenda. */
const ended = async (atMs = 0): Promise<string> => {
  q.clock.nowMs += atMs
  const claim = await q.running({ ...farDeadline(), webhook })
  await q.store.finalise(claim, answer('x'))
  await q.agenda.remove([webhookDoorbell(claim.id, 0)])
  q.clock.nowMs -= atMs
  return claim.id
}
/** Two in one ring, which has a name of its own. */
const ringWebhooks = (one: string, other: string, attempt = 0): Promise<void> =>
  q.doorbells.ringAll(
    [one, other].map(id => ({ queue: webhookQueue, doorbell: webhookDoorbell(id, attempt) })),
  )

describe('the patrol puts back what is lost', () => {
  it('a doorbell that was removed from BullMQ by hand', async () => {
    const id = await q.created(farDeadline())
    await ring(id)
    await q.queueOf('first').obliterate({ force: true })
    await patrol(id)
    expect(await q.agendaOf(id)).toEqual({}) // too young to tell
    settle()
    await patrol(id)
    await sweep(q.parts)
    expect(await q.ringingAt('first')).toEqual([`${id}.0.0`])
  })

  it('a doorbell rung long before all that wait: those before them have been seen to', async () => {
    q.clock.nowMs -= 120_000
    const id = await q.created(farDeadline())
    await q.agenda.remove([`${id}.0.0`])
    q.clock.nowMs += 120_000
    await ring(await q.created(farDeadline()))
    await patrol(id)
    expect(await q.agendaOf(id)).toEqual({ '.0.0': q.clock.nowMs })
  })

  it('a doorbell rung after one that its worker answered long ago, and keeps until it has room', async () => {
    await ring(await q.created(farDeadline()))
    await keepRing(60_000)
    const id = await q.created(farDeadline())
    await q.agenda.remove([`${id}.0.0`])
    settle()
    await patrol(id)
    expect(await q.agendaOf(id)).toEqual({ '.0.0': q.clock.nowMs })
  })

  it('a running job whose worker and lease are gone', async () => {
    const { id } = await q.running(farDeadline())
    await q.agenda.remove([leaseEntry(id)])
    settle()
    await patrol(id)
    const record = (await q.store.read(id))!
    expect(record).toMatchObject({ status: 'queued', hop: 0, ring: 1 })
    expect(record.attempts).toEqual([
      expect.objectContaining({ verdict: null, reason: 'worker_lost', possibly_billed: true }),
    ])
    // Its worker's end is not the job's fault.
    expect((await q.claimed(id, 'w2')).spent).toBe(0)
  })

  it('a parked job’s time', async () => {
    const claim = await q.running(farDeadline())
    const move = { hop: 0, ring: 1, target: claim.target, spent: 0, attempts: [] }
    const resumesAtMs = q.clock.nowMs + 500_000
    await q.store.park(claim, move, resumesAtMs)
    await q.agenda.remove([`${claim.id}.0.1`])
    settle()
    await patrol(claim.id)
    expect(await q.agendaOf(claim.id)).toEqual({ '.0.1': resumesAtMs })
    expect((await q.store.read(claim.id))!.status).toBe('parked')
  })

  it('a webhook that is owed', async () => {
    const claim = await q.running({ ...farDeadline(), webhook })
    await q.store.finalise(claim, answer('x'))
    await q.agenda.remove([`${claim.id}.w.0`])
    settle()
    await patrol(claim.id)
    expect(await q.agendaOf(claim.id)).toEqual({ '.w.0': q.clock.nowMs })
  })

  it('a webhook that was due long before all that ring, and then gives it the time to be seen to', async () => {
    const id = await ended(-120_000)
    await ringWebhooks(await ended(), await ended())
    await patrol(id)
    expect(await q.agendaOf(id)).toEqual({ '.w.0': q.clock.nowMs })
    await q.agenda.remove([`${id}.w.0`]) // as whoever rings it does
    settle()
    await patrol(id)
    expect(await q.agendaOf(id)).toEqual({})
  })

  it('the timer of a deadline that has come near', async () => {
    const id = await q.created(farDeadline())
    settle()
    await patrol(id)
    expect(Object.keys(await q.agendaOf(id))).toEqual(['.0.0'])
    const { expiresAtMs } = (await q.store.read(id))!
    q.clock.nowMs = expiresAtMs - 60_000
    await patrol(id)
    expect(await q.agendaOf(id)).toMatchObject({ '.x': expiresAtMs })
  })
})

describe('the patrol leaves alone', () => {
  it('doorbells that wait, in the agenda or at their queue', async () => {
    const [owed, rung] = [await q.created(farDeadline()), await q.created(farDeadline())]
    await ring(rung)
    settle()
    const owedBefore = await q.agendaOf(owed)
    await patrol(owed)
    await patrol(rung)
    expect(await q.agendaOf(owed)).toEqual(owedBefore)
    expect(await q.agendaOf(rung)).toEqual({})
  })

  it('a doorbell that waits with others at its queue', async () => {
    const [first, id] = [await q.created(farDeadline()), await q.created(farDeadline())]
    await Promise.all([ring(first), ring(id)])
    settle()
    await patrol(id)
    expect(await q.agendaOf(id)).toEqual({})
  })

  it('a doorbell that a worker is about to answer', async () => {
    const id = await q.created(farDeadline())
    await ring(id)
    settle()
    await keepRing(50_000)
    await patrol(id)
    expect(await q.agendaOf(id)).toEqual({})
  })

  it('a doorbell that waits where a job was moved to long after it was made', async () => {
    q.clock.nowMs -= 120_000
    const [moved, lost] = [await q.running(farDeadline()), await q.running(farDeadline())]
    q.clock.nowMs += 120_000
    await q.store.advance(
      moved,
      { hop: 1, ring: 0, target: moved.target, spent: 0, attempts: [] },
      q.clock.nowMs,
    )
    await q.store.recover((await q.store.read(lost.id))!)
    for (const doorbell of [`${moved.id}.1.0`, `${lost.id}.0.1`])
      await q.doorbells.ring({ queue: providerQueue('first'), doorbell })
    settle()
    await patrol(moved.id)
    await patrol(lost.id)
    expect(await q.agendaOf(moved.id)).toEqual({})
    expect(await q.agendaOf(lost.id)).toEqual({})
  })

  it('a running job that its worker holds', async () => {
    const { id } = await q.running(farDeadline())
    settle()
    await patrol(id)
    expect(await q.store.read(id)).toMatchObject({ status: 'running', ring: 0, attempts: [] })
  })

  it('a job that moved on while it looked', async () => {
    const claim = await q.running(farDeadline())
    const seen = (await q.store.read(claim.id))!
    const move = { hop: 1, ring: 0, target: claim.target, spent: 0, attempts: [] }
    await q.store.advance(claim, move, q.clock.nowMs)
    expect(await q.store.recover(seen)).toBe(false)
    await q.store.cancel(claim.id)
    expect(await q.store.recover((await q.store.read(claim.id))!)).toBe(false)
  })

  it('a delivery that waits at its queue', async () => {
    const claim = await q.running({ ...farDeadline(), webhook })
    await q.store.finalise(claim, answer('x'))
    await q.doorbells.ring({ queue: webhookQueue, doorbell: `${claim.id}.w.0` })
    settle()
    await patrol(claim.id)
    expect(await q.agendaOf(claim.id)).toEqual({})
  })

  it('a delivery that waits with others at its queue', async () => {
    const [first, id] = [await ended(), await ended()]
    await ringWebhooks(first, id)
    settle()
    await patrol(id)
    expect(await q.agendaOf(id)).toEqual({})
  })

  it('one that waits there with others long after the job has ended', async () => {
    const [failed, redelivered] = [await ended(-120_000), await ended(-120_000)]
    const nextAtMs = q.clock.nowMs
    await q.store.recordDelivery(failed, 0, { status: 'pending', reason: 'status_500', nextAtMs })
    await q.store.recordDelivery(redelivered, 0, { status: 'dead', reason: 'gone_410' })
    await q.store.redeliver(redelivered)
    await ringWebhooks(failed, redelivered, 1)
    settle()
    await patrol(failed)
    await patrol(redelivered)
    expect(await q.agendaOf(failed)).toEqual({})
    expect(await q.agendaOf(redelivered)).toEqual({})
  })

  it('a delivery that its worker holds', async () => {
    const id = await ended()
    await q.store.takeDelivery(id, 0)
    await q.agenda.remove([webhookDoorbell(id, 0)])
    settle()
    await patrol(id)
    expect(Object.keys(await q.agendaOf(id))).toEqual(['.w.0.l'])
  })
})
