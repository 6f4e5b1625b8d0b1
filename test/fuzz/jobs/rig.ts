import { type Job, Queue, Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import { type Logger, pino } from 'pino'
import { until } from '../../../harness/until.ts'
import { createJobIndex, type JobIndex } from '../../../src/jobs/index-stream.ts'
import { createIndexTrim, type IndexTrim } from '../../../src/jobs/index-trim.ts'
import { createSchedule, type Schedule } from '../../../src/jobs/schedule.ts'
import { createJobStore } from '../../../src/jobs/store.ts'
import type { JobStore } from '../../../src/jobs/types.ts'
import {
  createDoorbells,
  type Doorbells,
  doorbellsOf,
  providerQueue,
  queueName,
  webhookQueue,
} from '../../../src/queue/doorbells.ts'
import { createPatientRedis } from '../../../src/redis/connect.ts'
import { createKeys, type Keys } from '../../../src/redis/keys.ts'
import { createScriptRunner } from '../../../src/redis/scripts.ts'
import { createTelemetry } from '../../../src/telemetry/telemetry.ts'
import { createJobDeliveries, type Deliveries } from '../../../src/webhooks/deliveries.ts'
import { ownRedis } from '../../support/redis.ts'

export const providers = ['first', 'second', 'third'] as const
export const queues: readonly string[] = [...providers.map(providerQueue), webhookQueue]
/** Jobs live in these shards only, so that few schedules have to be looked at. */
export const shards: readonly number[] = [5, 9]

export const retentionMs = 3_600_000
export const deadLetterRetentionMs = 7_200_000

/** A bundle that somebody took from its queue. */
export interface HeldBundle {
  readonly queue: string
  readonly token: string
  readonly job: Job
  readonly doorbells: readonly string[]
}

/** The real store, schedule and queues on a Redis of their own, with a clock in the test's hands. */
/** The store of jobs, with the deliveries of their webhooks. */
export type Records = JobStore & Deliveries

export interface Rig {
  readonly redis: Redis
  readonly keys: Keys
  readonly store: Records
  readonly schedule: Schedule
  readonly doorbells: Doorbells
  readonly index: JobIndex
  newTrim(): IndexTrim
  readonly clock: { nowMs: number }
  readonly log: Logger
  takeBundle(queue: string, token: string): Promise<HeldBundle | null>
  /** False when the lock was lost: then it stays with BullMQ. */
  endBundle(bundle: HeldBundle): Promise<boolean>
  /** The holder fell silent for longer than its lock lasts, and a worker of the queue noticed it. */
  loseLock(bundle: HeldBundle): Promise<void>
  /** Names of the doorbells in all rings of a queue, waiting or held. */
  ringing(queue: string): Promise<ReadonlySet<string>>
  loseRings(queue: string): Promise<void>
  /** SIGKILL, and a new server on the same log. */
  restart(): Promise<void>
  /** Forgets everything. */
  reset(): Promise<void>
  close(): Promise<void>
}

export const openRig = async (leaseMs: number): Promise<Rig> => {
  const server = await ownRedis()
  const log = pino({ level: 'silent' })
  const redis = createPatientRedis(server.url, log)
  const keys = createKeys('fuzz')
  // Ahead of that of Redis, which the scripts look at too: what is given is given by this one.
  const clock = { nowMs: Date.now() + 3_600_000 }
  const now = (): number => clock.nowMs
  const aheadMs = (): number => clock.nowMs - Date.now() + 3_600_000
  const run = createScriptRunner(redis)
  const doorbells = createDoorbells(redis, keys, log, now)
  const bull = { connection: redis, prefix: keys.prefix, skipVersionCheck: true }
  const workers = new Map<string, Worker>()
  const views = new Map<string, Queue>()
  for (const queue of queues) {
    const worker = new Worker(queueName(queue), null, {
      ...bull,
      autorun: false,
      maxStalledCount: 1e9,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    })
    worker.on('error', () => undefined)
    workers.set(queue, worker)
    const view = new Queue(queueName(queue), bull)
    view.on('error', () => undefined)
    views.set(queue, view)
  }
  const keyOf = (queue: string, name: string): string => views.get(queue)!.toKey(name)
  /** Redis forgets them at a restart, and BullMQ's own names of keys are no business of ours. */
  const stalledCheck = async (queue: string): Promise<void> => {
    await redis.del(keyOf(queue, 'stalled-check'))
    await workers.get(queue)!.backend.moveStalledJobsToWait()
  }

  return {
    redis,
    keys,
    schedule: createSchedule(redis, run, keys, { now, aheadMs }),
    store: {
      ...createJobStore({
        redis,
        run,
        keys,
        leaseMs,
        retentionMs,
        now,
        aheadMs,
        telemetry: createTelemetry(),
      }),
      ...createJobDeliveries({ redis, run, keys, leaseMs, retentionMs, deadLetterRetentionMs, now }),
    },
    doorbells,
    index: createJobIndex(redis, keys),
    // The clock in the test's hands goes far, and the entries bear the time of Redis.
    newTrim: () => createIndexTrim({ run, keys, retentionMs, now, aheadMs: () => 0 }),
    clock,
    log,

    takeBundle: async (queue, token) => {
      const job = await workers.get(queue)!.getNextJob(token, { block: false })
      return job ? { queue, token, job, doorbells: doorbellsOf(job) } : null
    },
    endBundle: async ({ job, token }) => {
      try {
        await job.moveToCompleted(undefined, token, false)
        return true
      } catch (error) {
        if (/Missing (lock|key)|Lock mismatch|not in the active state/.test(String(error))) return false
        throw error
      }
    },
    loseLock: async ({ queue, job }) => {
      await redis.del(`${keyOf(queue, job.id!)}:lock`)
      // Suspected at the first look, given out again at the second.
      await stalledCheck(queue)
      await stalledCheck(queue)
    },
    ringing: async queue => {
      const [waiting, active, low] = await Promise.all([
        redis.lrange(keyOf(queue, 'wait'), 0, -1),
        redis.lrange(keyOf(queue, 'active'), 0, -1),
        redis.zrange(keyOf(queue, 'prioritized'), '0', '-1'),
      ])
      const data = await Promise.all(
        [...waiting, ...active, ...low].map(id => redis.hget(keyOf(queue, id), 'data')),
      )
      return new Set(data.flatMap(text => (text === null ? [] : String(JSON.parse(text).d).split(' '))))
    },
    loseRings: queue => views.get(queue)!.obliterate({ force: true }),
    restart: async () => {
      await server.kill()
      await server.restart()
      await until(async () => (await redis.ping()) === 'PONG')
    },
    reset: async () => {
      await redis.flushdb()
      clock.nowMs = Date.now()
    },
    close: async () => {
      await Promise.all([...workers.values(), ...views.values()].map(part => part.close()))
      await doorbells.close()
      redis.disconnect()
      await server.stop()
    },
  }
}
