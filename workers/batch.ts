import { createBatchRunner } from '../src/batches/batch-runner.ts'
import { createQueueRooms } from '../src/batches/queue-rooms.ts'
import { createBatchWork } from '../src/batches/work.ts'
import type { AppContext } from '../src/context/context.ts'
import { openQueueSpeeds } from '../src/context/queue-speeds.ts'
import { createFirstTarget } from '../src/dispatch/first-target.ts'
import { createFileStore } from '../src/files/store.ts'
import { createSchedule } from '../src/jobs/schedule.ts'
import type { Lifecycle } from '../src/lifecycle/lifecycle.ts'
import { createRepeating } from '../src/lifecycle/repeating.ts'
import { createAnnounce } from '../src/queue/announce.ts'
import { subscribeTo } from '../src/redis/connect.ts'
import { openBlobStore } from '../src/start-blobs.ts'

/** A feeder silent for this long, or for `jobs.lease` if that is shorter, is taken for dead and its batches are given to others. */
const maxLeaseMs = 5_000
/** Each holds up to some MB: what is read ahead and what is about to be written. */
const maxAtOnce = 32
const purgePauseMs = 60_000
const purgeLimit = 100

/** Drives batches until the process stops, together with any other process that does, and removes what is left of files. */
export const openBatchWorker = async (life: Lifecycle, context: AppContext): Promise<void> => {
  const { config, redis, run, keys, now } = context
  const { batches } = config
  const log = context.log.child({ worker: 'batches' })
  const blobs = await openBlobStore(life, context)
  const speeds = await openQueueSpeeds(life, context)
  let tokens = 0

  const runner = createBatchRunner({
    store: context.store,
    doorbells: context.doorbells,
    routes: context.routes,
    providers: context.providers,
    obstacleOf: context.obstacleOf,
    telemetry: context.telemetry,
    now,
    work: createBatchWork({
      ...{ redis, run, keys, retentionMs: batches.retention, now },
      announce: createAnnounce(context.doorbells, log, now),
    }),
    blobs,
    firstTarget: createFirstTarget(context),
    schedule: createSchedule(redis, run, keys, context.clock),
    maxLines: batches.max_lines,
    maxLineBytes: batches.max_line_bytes,
    rooms: createQueueRooms(context.doorbells, now),
    isFull: context.memory.isFull,
    speeds,
    admission: batches.admission,
    window: { jobs: batches.window_jobs, bytes: batches.window_bytes },
    outputRetentionMs: batches.retention,
    leaseMs: Math.min(maxLeaseMs, config.jobs.lease),
    maxAtOnce,
    newToken: () => `${context.instance}.b${tokens++}`,
    log,
  })
  await life.open(
    'batch runner',
    () => runner.start(),
    () => runner.stop(),
  )
  // What is not heard while the connection is down is found by the next look.
  await life.open(
    'new batches',
    () => subscribeTo(context.subscriber, keys.batchesChannel, runner.look),
    stop => stop(),
  )
  const files = createFileStore({ redis, run, keys, blobs, now })
  const tenants = new Set(['default', ...config.api_keys.map(({ tenant }) => tenant)])
  const purger = createRepeating(
    'file purger',
    purgePauseMs,
    async () => {
      await files.purgeDue(purgeLimit)
      for (const tenant of tenants) await context.batches.forgetGone(tenant)
    },
    log,
  )
  await life.open(
    'file purger',
    () => purger.start(),
    () => purger.stop(),
  )
  log.info({ event: 'worker.started' }, 'worker started')
}
