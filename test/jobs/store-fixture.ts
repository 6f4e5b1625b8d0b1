import type { Redis } from 'ioredis'
import { pino } from 'pino'
import { type BatchStore, createBatchStore } from '../../src/batches/store.ts'
import { type BatchWork, createBatchWork } from '../../src/batches/work.ts'
import { jobDoorbell } from '../../src/jobs/doorbell.ts'
import { createMetadataIndex } from '../../src/jobs/list-entry.ts'
import { createSchedule, type Schedule } from '../../src/jobs/schedule.ts'
import { createJobStore } from '../../src/jobs/store.ts'
import type { Claim, JobResult, JobStore, NewJob } from '../../src/jobs/types.ts'
import { createPatientRedis } from '../../src/redis/connect.ts'
import { createKeys, type Keys, newJobId, shardOf } from '../../src/redis/keys.ts'
import { createScriptRunner } from '../../src/redis/scripts.ts'
import { createTelemetry } from '../../src/telemetry/telemetry.ts'
import { createJobDeliveries, type Deliveries } from '../../src/webhooks/deliveries.ts'
import { testRedis } from '../support/redis.ts'

export const leaseMs = 15_000
export const retentionMs = 3_600_000
export const deadLetterRetentionMs = 7_200_000
export const batchRetentionMs = 10_800_000
const shard = 5

export interface StoreFixture {
  readonly redis: Redis
  readonly keys: Keys
  /** The store of jobs, with the deliveries of their webhooks. */
  readonly store: JobStore & Deliveries
  readonly schedule: Schedule
  readonly batches: BatchStore
  readonly work: BatchWork
  /** What the store takes for now; tests set it. */
  readonly clock: { nowMs: number }
  newJob(more?: Partial<NewJob>): NewJob
  /** Creates a job and answers its id. */
  created(more?: Partial<NewJob>): Promise<string>
  claimed(id: string, token?: string): Promise<Claim>
  /** A job that its worker holds. */
  running(more?: Partial<NewJob>): Promise<Claim>
  /** Entries of the job's shard in the schedule that are the job's, with their times. */
  scheduleOf(id: string): Promise<Record<string, number>>
  close(): void
}

/** The real store on the real scripts, with keys of its own. */
export const openStore = (
  at: { readonly url: string; readonly prefix: string } = testRedis(),
  indexed: readonly string[] = [],
): StoreFixture => {
  const { url, prefix } = at
  const redis = createPatientRedis(url, pino({ level: 'silent' }))
  const keys = createKeys(prefix)
  // Ahead of that of Redis, which the scripts look at too: what is given is given by this one.
  const clock = { nowMs: Date.now() + 3_600_000 }
  const now = (): number => clock.nowMs
  const aheadMs = (): number => clock.nowMs - Date.now() + 3_600_000
  const run = createScriptRunner(redis)
  const schedule = createSchedule(redis, run, keys, { now, aheadMs })
  const index = createMetadataIndex(indexed)
  const on = { redis, run, keys, leaseMs, retentionMs, index, now }
  const store = {
    ...createJobStore({ ...on, aheadMs, telemetry: createTelemetry() }),
    ...createJobDeliveries({ ...on, deadLetterRetentionMs }),
  }
  const batches = createBatchStore({ redis, run, keys, now })
  const work = createBatchWork({ redis, run, keys, retentionMs: batchRetentionMs, now })

  const newJob = (more: Partial<NewJob> = {}): NewJob => ({
    id: newJobId(shard, clock.nowMs),
    tenant: 'default',
    endpoint: '/v1/chat/completions',
    model: 'gpt-4',
    body: '{"model":"gpt-4"}',
    tokens: 500,
    createdAtMs: clock.nowMs,
    expiresAtMs: clock.nowMs + 60_000,
    target: { provider: 'first', model: 'gpt/4' },
    priority: 'default',
    webhook: null,
    metadata: null,
    retryOf: null,
    idempotency: null,
    ...more,
  })
  const created = async (more?: Partial<NewJob>): Promise<string> => {
    const job = newJob(more)
    await store.create(job)
    return job.id
  }
  const claimed = async (id: string, token = 'w1'): Promise<Claim> => {
    const record = await store.read(id)
    const claim = await store.claim(id, record!.hop, record!.generation, token)
    // As whoever rang its doorbell has done.
    await schedule.remove([jobDoorbell(id, record!.hop, record!.generation)])
    if (typeof claim === 'string') throw new Error(`not claimed: ${claim}`)
    return claim
  }

  return {
    redis,
    keys,
    store,
    schedule,
    batches,
    work,
    clock,
    newJob,
    created,
    claimed,
    running: async more => claimed(await created(more)),
    scheduleOf: async id => {
      const flat = await redis.zrange(keys.schedule(shardOf(id)), '0', '-1', 'WITHSCORES')
      const entries: Record<string, number> = {}
      for (let i = 0; i < flat.length; i += 2) {
        if (flat[i]!.startsWith(id)) entries[flat[i]!.slice(id.length)] = Number(flat[i + 1])
      }
      return entries
    },
    close: () => redis.disconnect(),
  }
}

export const answer = (text: string): JobResult => ({
  status: 'succeeded',
  attempts: [],
  response: { statusCode: 200, body: JSON.stringify({ text }) },
  error: null,
  refused: false,
  usage: { input_tokens: 2, output_tokens: 1 },
  costUsd: 0.5,
})

export const failure: JobResult = {
  ...answer(''),
  status: 'failed',
  response: null,
  error: { code: 'attempts_exhausted', message: 'used up' },
  usage: null,
  costUsd: null,
}
