import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import type { Progress } from '../../src/batches/progress.ts'
import { superviseJobs } from '../../src/batches/supervise-jobs.ts'
import { createWindow } from '../../src/batches/window.ts'
import { leaseEntry } from '../../src/jobs/doorbell.ts'
import { createDoorbells, type Doorbells } from '../../src/queue/doorbells.ts'
import { batchJobId, shardOf } from '../../src/redis/keys.ts'
import { createScriptRunner } from '../../src/redis/scripts.ts'
import { openBatches } from './store/batch-fixture.ts'

const fixture = openBatches()
const { redis, keys, clock, store, work, schedule, leased, record, feedOf, claimed } = fixture
const log = pino({ level: 'silent' })
let doorbells: Doorbells
beforeAll(() => {
  doorbells = createDoorbells(redis, createScriptRunner(redis), keys)
})
afterAll(() => fixture.close())

/** Watches the jobs of a batch whose doorbells are all lost, as if Redis had lost them. */
const watched = async (count: number) => {
  const lease = await leased(count)
  await work.feed(lease, feedOf(lease.id, 0, count))
  const ids = Array.from({ length: count }, (_, i) => batchJobId(lease.id, i + 1))
  await redis.del(keys.schedule(shardOf(lease.id)))
  const progress: Progress = {
    inputLost: false,
    isLate: false,
    total: count,
    window: createWindow({ jobs: 100, bytes: 1_000 }),
    status: 'in_progress',
    fed: count,
    offset: 0,
    line: 0,
    collected: 0,
    cost: 0,
    answered: 0,
    ended: 0,
    done: 0,
    openBytes: 0,
    open: new Set(ids.map((_, i) => i + 1)),
  }
  const stop = new AbortController()
  const batch = await record(lease.id)
  const done = superviseJobs(
    { store, schedule, doorbells, log, now: () => clock.nowMs },
    { batch, progress, signal: stop.signal },
  )
  const end = (): Promise<void> => {
    stop.abort()
    return done
  }
  return { ids, progress, batch, stop: end }
}

describe("supervision of a batch's jobs", () => {
  it('a job that nothing would wake gets its doorbell back', async () => {
    const { ids, stop } = await watched(3)
    await claimed(ids[0]!)
    await schedule.remove([leaseEntry(ids[0]!)])
    clock.nowMs += 61_000
    await until(async () => '.0.1' in (await fixture.scheduleOf(ids[0]!)))
    await until(async () => '.0.0' in (await fixture.scheduleOf(ids[2]!)))
    await stop()
  })

  it('jobs of a cancelled batch are ended, the running ones too', async () => {
    const { ids, progress, stop } = await watched(3)
    await claimed(ids[0]!)
    progress.status = 'cancelling'
    for (const id of ids) await until(async () => (await store.read(id))!.status === 'cancelled')
    await stop()
  })

  it('jobs past the deadline are ended, those that run a little later', async () => {
    const { ids, batch, stop } = await watched(2)
    await claimed(ids[0]!)
    clock.nowMs = batch.expiresAtMs
    await until(async () => (await store.read(ids[1]!))!.status === 'expired')
    expect((await store.read(ids[0]!))!.status).toBe('running')
    clock.nowMs += 5_000
    await until(async () => (await store.read(ids[0]!))!.status === 'expired')
    await stop()
  })
})
