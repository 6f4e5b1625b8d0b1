import type { Redis } from 'ioredis'
import { unpack } from 'msgpackr'
import { type Logger, pino } from 'pino'
import { expect } from 'vitest'
import { until } from '../../../harness/until.ts'
import { createIndexTrim, type IndexTrim } from '../../../src/jobs/index-trim.ts'
import { createJobLists, type JobLists } from '../../../src/jobs/job-lists.ts'
import { createMetadataIndex, type MetadataIndex } from '../../../src/jobs/list-entry.ts'
import { createSchedule, type Schedule } from '../../../src/jobs/schedule.ts'
import { createJobStore } from '../../../src/jobs/store.ts'
import type { JobStore } from '../../../src/jobs/types.ts'
import { createDoorbells, type Doorbells, providerQueue, webhookQueue } from '../../../src/queue/doorbells.ts'
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

/** What a worker took from its queue, and has not claimed yet. */
export interface HeldChunk {
  readonly queue: string
  readonly chunk: string
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
  readonly index: MetadataIndex
  readonly lists: JobLists
  newTrim(): IndexTrim
  readonly clock: { nowMs: number }
  readonly log: Logger
  /** Up to two doorbells; the request may be sent twice. */
  takeChunk(queue: string, chunk: string, isSentTwice?: boolean): Promise<HeldChunk | null>
  /** All of it is claimed. False when it was taken back before. */
  endChunk(chunk: HeldChunk): Promise<boolean>
  /** The holder fell silent for longer than it may keep a chunk, and a worker of the queue noticed it. */
  loseChunk(chunk: HeldChunk): Promise<void>
  /** Names of the doorbells of a queue that wait or are held. */
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
  const doorbells = createDoorbells(redis, run, keys)
  const index = createMetadataIndex(['customer'])
  const ask = { worker: '', free: 0, claimed: [] }

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
        index,
        now,
        aheadMs,
        telemetry: createTelemetry(),
      }),
      ...createJobDeliveries({ redis, run, keys, leaseMs, retentionMs, deadLetterRetentionMs, now }),
    },
    doorbells,
    index,
    lists: createJobLists({ run, keys, index, leaseMs, now }),
    // The clock in the test's hands goes far, and the entries bear the time of Redis.
    newTrim: () => createIndexTrim({ run, keys, retentionMs, now, aheadMs: () => 0 }),
    clock,
    log,

    takeChunk: async (queue, chunk, isSentTwice) => {
      const request = { ...ask, chunk, most: 2 }
      const { doorbells: taken } = await doorbells.take(queue, request)
      if (isSentTwice) expect((await doorbells.take(queue, request)).doorbells).toEqual(taken)
      return taken.length > 0 ? { queue, chunk, doorbells: taken } : null
    },
    endChunk: async ({ queue, chunk }) => {
      const isHeld = (await redis.hexists(`${keys.ready(queue)}:taken`, chunk)) === 1
      await doorbells.take(queue, { ...ask, chunk: '', most: 0, claimed: [chunk] })
      return isHeld
    },
    loseChunk: async ({ queue, chunk }) => {
      await redis.zadd(`${keys.ready(queue)}:leases`, 'XX', 1, chunk)
      await doorbells.take(queue, { ...ask, chunk: '', most: 0 })
    },
    ringing: async queue => {
      const { total } = await doorbells.depth(queue)
      const [waiting, held] = await Promise.all([
        doorbells.page(queue, 0, 1_000),
        redis.hvalsBuffer(`${keys.ready(queue)}:taken`),
      ])
      expect(waiting.length, 'what waits is what is counted').toBe(total)
      const taken = held.flatMap(packed => (unpack(packed) as string[]).filter((_, i) => i % 4 === 3))
      return new Set([...waiting.map(({ doorbell }) => doorbell), ...taken.map(text => text.split(' ')[0]!)])
    },
    loseRings: async queue => {
      const lost = await redis.keys(`${keys.ready(queue)}*`)
      if (lost.length > 0) await redis.del(lost)
    },
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
      redis.disconnect()
      await server.stop()
    },
  }
}
