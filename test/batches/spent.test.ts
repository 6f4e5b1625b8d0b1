import { pino } from 'pino'
import { afterAll, expect, it } from 'vitest'
import { feedBatch } from '../../src/batches/feeder.ts'
import { formatSkipped } from '../../src/batches/finished-line.ts'
import { resume } from '../../src/batches/progress.ts'
import { createQueueRooms } from '../../src/batches/queue-rooms.ts'
import type { InputLine } from '../../src/batches/read-lines.ts'
import { createWakeSignal } from '../../src/batches/wake-signal.ts'
import { createWindow } from '../../src/batches/window.ts'
import { createDoorbells } from '../../src/queue/doorbells.ts'
import { createScriptRunner } from '../../src/redis/scripts.ts'
import { openBatches } from './store/batch-fixture.ts'

const fixture = openBatches()
afterAll(() => fixture.close())

it('a limit that is reached while a feeder looks for room holds for the lines that were to become jobs', async () => {
  const { redis, keys, leased, record, work, batchJob, clock } = fixture
  const lease = await leased(30, { maxCostUsd: 1 })
  const batch = await record(lease.id)
  const progress = await resume(work, batch, createWindow({ jobs: 100, bytes: 1_000_000 }))
  // As a collector does while the feeder waits for the answer: the first lines have ended, and cost more than all may.
  const look = async () => {
    if (progress.open.size > 0) {
      Object.assign(progress, { ended: progress.open.size, cost: 2, collected: progress.open.size })
      progress.open.clear()
    }
    return { free: 100, waiting: 0, served: 0, ofTenants: [0] }
  }
  const all: InputLine[] = Array.from({ length: 30 }, (_, i) => ({
    ...{ number: i + 1, end: (i + 1) * 10, bytes: Buffer.alloc(9) },
  }))
  await feedBatch(
    {
      work,
      doorbells: createDoorbells(redis, createScriptRunner(redis), keys),
      // Each look is a new one.
      rooms: createQueueRooms({ look }, () => (clock.nowMs += 1_000)),
      log: pino({ level: 'silent' }),
      now: () => clock.nowMs,
      isFull: () => false,
    },
    {
      ...{ batch, lease, progress },
      readInput: async from => all.slice(from.line),
      planLine: (_, number, instead) =>
        instead === null
          ? { job: batchJob(lease.id, number) }
          : { skipped: formatSkipped(number, `row-${number}`, instead) },
      room: createWakeSignal(),
      signal: new AbortController().signal,
    },
  )
  expect(progress.fed).toBe(30)
  expect([...progress.open]).toEqual([])
  expect(
    await work.openJobs(
      lease.id,
      Array.from({ length: 30 }, (_, i) => i + 1),
    ),
  ).toEqual([1, 2, 3, 4])
})
