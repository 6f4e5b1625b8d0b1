import type { Cluster, Redis } from 'ioredis'
import type { Logger } from 'pino'
import type { VerdictKind } from '../domain/verdict.ts'
import { createRepeating, type Repeating } from '../lifecycle/repeating.ts'
import type { GuardState } from './guard.ts'

/** What a worker process did since it started; it only grows. */
export interface WorkCounts {
  /** Calls by what they meant; `interrupted` where nothing could be judged. */
  readonly attempts: Readonly<Partial<Record<VerdictKind | 'interrupted', number>>>
  readonly handovers: number
  readonly parks: number
  /** Jobs that this process ended. */
  readonly ends: Readonly<Record<'succeeded' | 'failed', number>>
}

/** One live worker process of one provider, as it last told of itself. */
export interface WorkerPresence {
  readonly provider: string
  readonly instance: string
  readonly pid: number
  readonly breaker: GuardState
  readonly callsInFlight: number
  readonly concurrency: number
  /** Absent of a worker of an earlier version. */
  readonly counts?: WorkCounts
  readonly seenAtMs: number
}

const beatMs = 2_000
const silentAfterMs = 10_000

const keyOf = (prefix: string): string => `${prefix}:{health}:workers`

/** Tells the cluster that a worker is here. */
export const createHeartbeat = (
  redis: Redis | Cluster,
  prefix: string,
  log: Logger,
  describe: () => WorkerPresence,
): Repeating => {
  const beat = createRepeating(
    'heartbeat',
    beatMs,
    async () => {
      const presence = describe()
      await redis.hset(keyOf(prefix), `${presence.provider}@${presence.instance}`, JSON.stringify(presence))
    },
    log,
  )
  return {
    start: beat.start,
    stop: async () => {
      await beat.stop()
      const { provider, instance } = describe()
      await redis.hdel(keyOf(prefix), `${provider}@${instance}`)
    },
  }
}

/** Live workers of all providers; those that fell silent are forgotten. */
export const readPresence = async (
  redis: Redis | Cluster,
  prefix: string,
  nowMs: number,
): Promise<readonly WorkerPresence[]> => {
  const entries = Object.entries(await redis.hgetall(keyOf(prefix)))
  const workers = entries.map(([field, text]) => ({ field, presence: JSON.parse(text) as WorkerPresence }))
  const silent = workers.filter(w => w.presence.seenAtMs + silentAfterMs < nowMs)
  if (silent.length > 0) await redis.hdel(keyOf(prefix), ...silent.map(w => w.field))
  return workers.filter(w => !silent.includes(w)).map(w => w.presence)
}
