import type { Cluster, Redis } from 'ioredis'
import type { Logger } from 'pino'
import { createRepeating, type Repeating } from '../lifecycle/repeating.ts'
import { createOwedWrite } from '../redis/owed-write.ts'
import type { DeliveryCounts, EndCounts, WorkCounts } from '../telemetry/counts.ts'
import type { BreakerState } from './local-breaker.ts'

/** One live worker process of one provider, as of its last heartbeat. */
export interface WorkerHeartbeat {
  readonly provider: string
  readonly instance: string
  readonly pid: number
  readonly breaker: BreakerState
  readonly callsInFlight: number
  /** Calls at once that it may make now, and those that it has places for. */
  readonly concurrency: number
  /** Absent of a worker of an earlier version. */
  readonly processBound?: number
  /** Absent of a worker of an earlier version. */
  readonly counts?: WorkCounts
  /** A key that is not stopped, or none is needed; absent of a worker of an earlier version. */
  readonly hasKey?: boolean
  readonly seenAtMs: number
}

/** One live process that delivers webhooks. */
export interface WebhookHeartbeat {
  readonly instance: string
  readonly counts: DeliveryCounts
  readonly seenAtMs: number
}

/** One live process of any role. */
export interface ProcessHeartbeat {
  readonly instance: string
  readonly ends: EndCounts
  /** Of Baton; absent of a process before 0.2. */
  readonly version?: string
  /** Which config it runs on: processes with the same one have the same; absent of a process before 0.2. */
  readonly config?: string
  /** Unix ms since when it does; absent of a process of an earlier version. */
  readonly openedAtMs?: number
  /** It takes nothing new on that config, after a reload, and ends what it has begun. */
  readonly retiring?: boolean
  /** By how much the clock of its host is ahead of that of Redis; absent of a process before 0.2. */
  readonly hostOffMs?: number
  /** Single jobs that it took. Absent of a process of an earlier version. */
  readonly accepted?: number
  /** Jobs that passed a provider over that a worker would serve, or bring back; by provider; likewise. */
  readonly passedOver?: Readonly<Record<string, number>>
  readonly seenAtMs: number
}

const beatMs = 2_000
/** A process without a heartbeat for so long is taken to be dead. */
export const silentAfterMs = 10_000
/** Beats after which those that were killed are looked for. */
const beatsPerLook = 30
/** A process that was silent for this long is not just slow. */
const goneAfterMs = 60_000

interface Heartbeat {
  readonly seenAtMs: number
}

/** All processes of one kind: a hash of their last heartbeats. */
const createRegistry = <Kind extends Heartbeat>(name: string, fieldOf: (presence: Kind) => string) => {
  const keyOf = (prefix: string): string => `${prefix}:{health}:${name}`

  /** Announces a live process to the cluster. */
  const heartbeat = (
    redis: Redis | Cluster,
    prefix: string,
    log: Logger,
    describe: () => Kind,
  ): Repeating => {
    const write = createOwedWrite(redis)
    let beats = 0
    const tell = async (): Promise<void> => {
      const presence = describe()
      await write('HSET', keyOf(prefix), fieldOf(presence), JSON.stringify(presence))
      if (beats++ % beatsPerLook === 0) await read(redis, prefix, presence.seenAtMs, goneAfterMs)
    }
    const beat = createRepeating('heartbeat', beatMs, tell, log)
    return {
      start: beat.start,
      stop: async () => {
        await beat.stop()
        await redis.hdel(keyOf(prefix), fieldOf(describe()))
      },
    }
  }

  /** All that live; those that fell silent are forgotten. */
  const read = async (
    redis: Redis | Cluster,
    prefix: string,
    nowMs: number,
    afterMs = silentAfterMs,
  ): Promise<readonly Kind[]> => {
    const entries = Object.entries(await redis.hgetall(keyOf(prefix)))
    const known = entries.map(([field, text]) => ({ field, presence: JSON.parse(text) as Kind }))
    const silent = known.filter(w => w.presence.seenAtMs + afterMs < nowMs)
    if (silent.length > 0) await redis.hdel(keyOf(prefix), ...silent.map(w => w.field))
    return known.filter(w => !silent.includes(w)).map(w => w.presence)
  }

  /**
   * All heartbeats, stale ones too: for readers that look for changes and do not trust other machines'
   * clocks.
   */
  const readAll = async (redis: Redis | Cluster, prefix: string): Promise<readonly Kind[]> =>
    Object.values(await redis.hgetall(keyOf(prefix))).map(text => JSON.parse(text) as Kind)

  return { heartbeat, read, readAll }
}

const workers = createRegistry<WorkerHeartbeat>(
  'workers',
  ({ provider, instance }) => `${provider}@${instance}`,
)
const webhookWorkers = createRegistry<WebhookHeartbeat>('webhook-workers', ({ instance }) => instance)
const processes = createRegistry<ProcessHeartbeat>('processes', ({ instance }) => instance)

export const createWorkerHeartbeat = workers.heartbeat
export const readWorkers = workers.read
export const readAllWorkers = workers.readAll
export const createWebhookHeartbeat = webhookWorkers.heartbeat
export const readWebhookWorkers = webhookWorkers.read
export const createProcessHeartbeat = processes.heartbeat
export const readProcesses = processes.read
