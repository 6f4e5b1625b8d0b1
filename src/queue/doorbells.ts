import { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import type { Priority } from '../domain/job.ts'
import type { Keys } from '../store/keys.ts'
import { shardOf } from '../store/keys.ts'
import { holdWrites } from './hold-writes.ts'

/** The queue of webhook deliveries stands beside the providers' queues; `:` and `/` cannot be in a provider's name. */
export const webhookQueue = 'webhooks'
export const providerQueue = (provider: string): string => `provider.${provider}`

/** Braces give each queue a Redis Cluster slot of its own. */
export const queueName = (name: string): string => `{${name}}`

export interface Ring {
  readonly queue: string
  readonly doorbell: string
  readonly priority?: Priority
}

export interface QueueCounts {
  readonly waiting: number
  readonly active: number
}

export interface Doorbells {
  /**
   * Rings, then takes what was rung off the agenda. All that is rung within one tick travels together. Rejects
   * when Redis is away; the doorbell then still stands in the agenda and a sweeper rings it.
   */
  ring(ring: Ring): Promise<void>
  /** Rings many at once, for one who has them together: nothing is made for each. */
  ringAll(rings: readonly Ring[]): Promise<void>
  /** Whether BullMQ still holds the doorbell, waiting or being answered. */
  hold(rings: readonly Ring[]): Promise<readonly boolean[]>
  counts(queue: string): Promise<QueueCounts>
  close(): Promise<void>
}

interface Pending extends Ring {
  readonly done: () => void
  readonly failed: (error: unknown) => void
}

const priorities: Record<Priority, { priority?: number; lifo?: boolean }> = {
  // BullMQ serves jobs without a priority before all that have one.
  high: { lifo: true },
  default: {},
  low: { priority: 1 },
}

/** Up to this many are added one by one: `addBulk` makes a pipeline, to which ioredis copies every script there is. */
const fewRings = 50

/** `redis` fails fast in the API and waits patiently in workers: the caller chooses. */
export const createDoorbells = (redis: Redis, keys: Keys, log: Logger): Doorbells => {
  const queues = new Map<string, Queue>()
  let pending: Pending[] = []

  const queueOf = (name: string): Queue => {
    const known = queues.get(name)
    if (known) return known
    const queue = new Queue(queueName(name), {
      connection: redis,
      prefix: keys.prefix,
      skipWaitingForReady: true,
      skipVersionCheck: true,
      streams: { events: { maxLen: 0 } },
    })
    queue.on('error', error => log.debug({ err: error, queue: name }, 'queue connection error'))
    queues.set(name, queue)
    return queue
  }

  const ringQueue = async (name: string, rings: readonly Ring[]): Promise<void> => {
    const queue = queueOf(name)
    const jobs = rings.map(r => ({
      name: 'j',
      data: {},
      opts: { jobId: r.doorbell, ...priorities[r.priority ?? 'default'] },
    }))
    if (jobs.length > fewRings) await queue.addBulk(jobs)
    else {
      holdWrites(redis, setImmediate)
      await Promise.all(jobs.map(job => queue.add(job.name, job.data, job.opts)))
    }
    await acknowledge(rings)
  }

  const ringPending = async (name: string, rings: readonly Pending[]): Promise<void> => {
    try {
      await ringQueue(name, rings)
      for (const ring of rings) ring.done()
    } catch (error) {
      for (const ring of rings) ring.failed(error)
    }
  }

  const acknowledge = async (rings: readonly Ring[]): Promise<void> => {
    const byShard = Map.groupBy(rings, r => shardOf(r.doorbell))
    await Promise.all(
      [...byShard].map(([shard, group]) => redis.zrem(keys.agenda(shard), ...group.map(r => r.doorbell))),
    )
  }

  const flush = (): void => {
    const batch = pending
    pending = []
    for (const [name, rings] of Map.groupBy(batch, r => r.queue)) void ringPending(name, rings)
  }

  return {
    ring: ring =>
      new Promise((done, failed) => {
        if (pending.push({ ...ring, done, failed }) === 1) setImmediate(flush)
      }),
    ringAll: async rings => {
      const byQueue = [...Map.groupBy(rings, r => r.queue)]
      await Promise.all(byQueue.map(([name, group]) => ringQueue(name, group)))
    },
    hold: async rings =>
      Promise.all(rings.map(async r => (await redis.exists(queueOf(r.queue).toKey(r.doorbell))) === 1)),
    counts: async name => {
      const counts = await queueOf(name).getJobCounts('wait', 'prioritized', 'active')
      return { waiting: (counts.wait ?? 0) + (counts.prioritized ?? 0), active: counts.active ?? 0 }
    },
    close: async () => {
      await Promise.all([...queues.values()].map(queue => queue.close()))
    },
  }
}
