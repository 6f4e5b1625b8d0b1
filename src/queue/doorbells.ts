import { randomBytes } from 'node:crypto'
import { type Job, type JobsOptions, Queue } from 'bullmq'
import type { Cluster, Redis } from 'ioredis'
import type { Logger } from 'pino'
import type { Priority } from '../domain/job.ts'
import type { Keys } from '../redis/keys.ts'
import { shardOf } from '../redis/keys.ts'
import { createRemoveScored } from '../redis/remove-scored.ts'
import { letQueuesRunWhenFull } from './when-full.ts'

/** The queue of webhook deliveries stands beside the providers' queues; `:` and `/` cannot be in a provider's name. */
export const webhookQueue = 'webhooks'
export const providerQueue = (provider: string): string => `provider.${provider}`

/**
 * The most doorbells that one BullMQ job carries. BullMQ takes as long for one as for many, and longer than
 * Baton takes for all else about a job. A worker without slots for all of them rings the rest again.
 */
export const bundleSize = 16

/** Braces give each queue a Redis Cluster slot of its own. */
export const queueName = (name: string): string => `{${name}}`

export interface AddressedDoorbell {
  readonly queue: string
  readonly doorbell: string
  readonly priority?: Priority
  /**
   * Until when a sweeper has its entry of the schedule, in Unix ms: what stands there for another time by now is owed anew, and
   * stays.
   */
  readonly takenUntilMs?: number
}

export interface WaitingBundle {
  readonly doorbells: readonly string[]
  /** For who has seen to all of them. */
  remove(): Promise<void>
}

export interface Doorbells {
  /**
   * Rings, then takes the doorbell off the schedule. Doorbells that are rung within one tick share BullMQ
   * jobs. Rejects when Redis is away; the doorbell then still stands in the schedule and a sweeper rings it.
   */
  ring(ring: AddressedDoorbell): Promise<void>
  /** Rings many at once, for one who has them together: nothing is made for each. */
  ringAll(rings: readonly AddressedDoorbell[]): Promise<void>
  /** Rings again, ahead of all that wait, the doorbells of a BullMQ job for which its worker has no slots. */
  returnToQueue(queue: string, doorbells: readonly string[], of: Job): Promise<void>
  /** Whether BullMQ holds this doorbell by itself, not together with others, waiting or being answered. */
  holds(ring: AddressedDoorbell): Promise<boolean>
  /** When the oldest doorbell that no worker has answered was rung, in Unix ms; null when there is none. */
  oldestRungAt(queue: string): Promise<number | null>
  /** Waiting BullMQ jobs, oldest first, from one index to another. */
  page(queue: string, from: number, to: number): Promise<readonly WaitingBundle[]>
  /** Doorbells that wait; reckoned from a sample where there are very many. */
  waiting(queue: string): Promise<number>
  close(): Promise<void>
}

interface Pending extends AddressedDoorbell {
  readonly done: () => void
  readonly failed: (error: unknown) => void
}

const priorities: Record<Priority, JobsOptions> = {
  // BullMQ serves jobs without a priority before all that have one.
  high: { lifo: true },
  default: {},
  low: { priority: 1 },
}

/** Up to this many are added one by one: `addBulk` makes a pipeline, to which ioredis copies every script there is. */
const fewBundles = 50

/** The data of a BullMQ job that carries doorbells. */
interface BundleData {
  /** Names of doorbells, with spaces between. */
  readonly d: string
}

/** The doorbells of a BullMQ job; one that was added by hand is named as its one doorbell. */
export const doorbellsOf = ({ id, data }: Job<Partial<BundleData>>): string[] => data.d?.split(' ') ?? [id!]

/** The name of a BullMQ job with several doorbells begins with their number. */
const sizeOf = (bundleId: string): number => Number(/^\d+(?=\.)/.exec(bundleId)?.[0] ?? 1)

/**
 * A BullMQ job that was fetched this long ago is done with: its worker has answered it, and keeps it only
 * until a slot is free, or is gone, and BullMQ has put the job back.
 */
const seenToMs = 60_000

/** The length of a longer queue is estimated. */
const sampleSize = 1_000

/** `redis` fails fast in the API and waits patiently in workers: the caller chooses. */
export const createDoorbells = (
  redis: Redis | Cluster,
  keys: Keys,
  log: Logger,
  now: () => number,
): Doorbells => {
  letQueuesRunWhenFull(redis)
  const removeScored = createRemoveScored(redis)
  const queues = new Map<string, Queue<BundleData>>()
  const instance = randomBytes(4).toString('hex')
  let rung = 0
  let pending: Pending[] = []

  const queueOf = (name: string): Queue<BundleData> => {
    const known = queues.get(name)
    if (known) return known
    const queue = new Queue<BundleData>(queueName(name), {
      connection: redis,
      prefix: keys.prefix,
      skipWaitingForReady: true,
      skipVersionCheck: true,
      streams: { events: { maxLen: 0 } },
    })
    queue.on('error', error =>
      log.debug({ event: 'queue.connection_failed', err: error, queue: name }, 'queue connection failed'),
    )
    queues.set(name, queue)
    return queue
  }

  const ringQueue = async (name: string, rings: readonly AddressedDoorbell[]): Promise<void> => {
    const queue = queueOf(name)
    const jobs = [...Map.groupBy(rings, r => r.priority ?? 'default')].flatMap(([priority, group]) =>
      Array.from({ length: Math.ceil(group.length / bundleSize) }, (_, i) =>
        bundleOf(
          name,
          group.slice(i * bundleSize, (i + 1) * bundleSize).map(r => r.doorbell),
          priorities[priority],
        ),
      ),
    )
    if (jobs.length > fewBundles) await queue.addBulk(jobs)
    else {
      holdWrites(redis, setImmediate)
      await Promise.all(jobs.map(job => queue.add(job.name, job.data, job.opts)))
    }
    await acknowledge(rings)
  }

  /**
   * A job's doorbell that rings alone names the BullMQ job, which BullMQ does not take twice. A webhook's
   * does not: a held delivery comes back by the same doorbell, perhaps before BullMQ has let go of the job
   * that it came with.
   */
  const bundleOf = (queue: string, names: readonly string[], options: JobsOptions) => ({
    name: 'j',
    data: { d: names.join(' ') },
    opts: {
      jobId: names.length === 1 && queue !== webhookQueue ? names[0]! : newBundleId(names.length),
      timestamp: now(),
      ...options,
    },
  })

  const newBundleId = (size: number): string => `${size}.${instance}.${(rung++).toString(36)}`

  const ringPending = async (name: string, rings: readonly Pending[]): Promise<void> => {
    try {
      await ringQueue(name, rings)
      for (const ring of rings) ring.done()
    } catch (error) {
      for (const ring of rings) ring.failed(error)
    }
  }

  const acknowledge = async (rings: readonly AddressedDoorbell[]): Promise<void> => {
    const groups = Map.groupBy(rings, r => `${shardOf(r.doorbell)} ${r.takenUntilMs ?? ''}`)
    await Promise.all(
      [...groups.values()].map(group => {
        const [{ doorbell, takenUntilMs }] = group as [AddressedDoorbell]
        const key = keys.schedule(shardOf(doorbell))
        const names = group.map(r => r.doorbell)
        return takenUntilMs === undefined ? redis.zrem(key, ...names) : removeScored(key, takenUntilMs, names)
      }),
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
    returnToQueue: async (name, doorbells, { timestamp, opts: { priority } }) => {
      // Never under the doorbell's own name: the BullMQ job that it came with may have it, and is about to
      // go.
      const jobId = newBundleId(doorbells.length)
      const place = priority ? { priority } : { lifo: true }
      await queueOf(name).add('j', { d: doorbells.join(' ') }, { jobId, timestamp, ...place })
    },
    holds: async ({ queue, doorbell }) => (await redis.exists(queueOf(queue).toKey(doorbell))) === 1,
    oldestRungAt: async name => {
      const queue = queueOf(name)
      const [oldest, active] = await Promise.all([
        queue.getJobs(['wait', 'prioritized'], 0, 0, true),
        queue.getJobs(['active']),
      ])
      const nowMs = now()
      // BullMQ writes this by the clock of the host that fetched the job, which may be wrong: the reconciler
      // rather looks a little early, which costs a doorbell too many, than waits for as long.
      const isUnseen = ({ processedOn = 0 }: Job): boolean =>
        processedOn > nowMs - seenToMs && processedOn < nowMs + seenToMs
      const unseen = [...oldest, ...active.filter(isUnseen)]
      return unseen.length === 0 ? null : Math.min(...unseen.map(ring => ring.timestamp))
    },
    page: async (name, from, to) => {
      // One row of them all: asked for both kinds, BullMQ would give that place of each.
      const queue = queueOf(name)
      const { wait = 0 } = await queue.getJobCounts('wait')
      const first = from < wait ? await queue.getJobs(['wait'], from, to, true) : []
      const low =
        to < wait ? [] : await queue.getJobs(['prioritized'], Math.max(0, from - wait), to - wait, true)
      const rings = [...first, ...low]
      return rings.map(ring => ({
        doorbells: doorbellsOf(ring),
        // A worker may have come and taken it.
        remove: () =>
          ring
            .remove()
            .catch(error =>
              log.debug(
                { event: 'doorbells.taken', err: error, queue: name },
                'doorbells taken by a worker meanwhile',
              ),
            ),
      }))
    },
    waiting: async name => {
      const queue = queueOf(name)
      const { wait = 0, prioritized = 0 } = await queue.getJobCounts('wait', 'prioritized')
      const [waiting, low] = await Promise.all([
        redis.lrange(queue.toKey('wait'), 0, sampleSize - 1),
        redis.zrange(queue.toKey('prioritized'), '0', String(sampleSize - 1)),
      ])
      const sample = [...waiting, ...low]
      const doorbells = sample.reduce((sum, id) => sum + sizeOf(id), 0)
      return sample.length === 0 ? 0 : Math.round((doorbells / sample.length) * (wait + prioritized))
    },
    close: async () => {
      await Promise.all([...queues.values()].map(queue => queue.close()))
    },
  }
}

/**
 * Lets the commands of this turn of the event loop leave in one system call rather than one each, which is dearer than all
 * else about a small command. `until` says when the turn is over: at the next tick for what is being written in
 * promises already, at the next immediate for what is yet to get there.
 */
export const holdWrites = (redis: Redis | Cluster, until: (over: () => void) => unknown): void => {
  // A Cluster has a connection to each of its nodes, and which of them a command takes is its own affair.
  if (!('stream' in redis)) return
  const { stream } = redis
  if (!stream || stream.writableCorked > 0) return
  stream.cork()
  until(() => stream.uncork())
}
