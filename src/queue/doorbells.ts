import type { Cluster, Redis } from 'ioredis'
import { holdWrites } from '../redis/hold-writes.ts'
import type { Keys } from '../redis/keys.ts'
import { shardOf } from '../redis/keys.ts'
import { createRemoveScored } from '../redis/remove-scored.ts'
import type { RunScript } from '../redis/scripts.ts'
import { createReadyList, type Depth, type Entry, type ReadyList, type TenantWeights } from './ready-list.ts'

/** The queue of webhook deliveries stands beside the providers' queues; `:` and `/` cannot be in a provider's name. */
export const webhookQueue = 'webhooks'
export const providerQueue = (provider: string): string => `provider.${provider}`

/** Braces give each queue a Redis Cluster slot of its own. BullMQ knows it by this name. */
export const queueName = (name: string): string => `{${name}}`

export interface AddressedDoorbell extends Entry {
  readonly queue: string
  /**
   * Until when a sweeper has its entry of the schedule, in Unix ms: what stands there for another time by now is owed anew, and
   * stays.
   */
  readonly takenUntilMs?: number
}

export interface Doorbells
  extends Pick<ReadyList, 'take' | 'page' | 'heads' | 'freeSlots' | 'look' | 'around'> {
  /**
   * Puts a doorbell into the ready list of its queue, wakes a worker, then takes it off the schedule. Those that are rung within one turn
   * travel together. Rejects when Redis is away; the doorbell then still stands in the schedule and a sweeper rings it.
   */
  ring(ring: AddressedDoorbell): Promise<void>
  /** Rings many at once, for one who has them together: nothing is made for each. */
  ringAll(rings: readonly AddressedDoorbell[]): Promise<void>
  /** Takes doorbells that lead nowhere any more out of their queue. */
  withdraw(queue: string, entries: readonly Entry[]): Promise<void>
  /** Whether each waits in its queue; one that a worker has taken does not. */
  areWaiting(queue: string, entries: readonly Entry[]): Promise<readonly boolean[]>
  /** Doorbells that wait. */
  waiting(queue: string): Promise<number>
  depth(queue: string): Promise<Depth>
}

/** Each call of a receiver counts alike. The end of a batch stands for all of its lines, so it does not wait behind those of jobs. */
const webhookTokens = 1

export const jobWebhookRing = (doorbell: string, tenant: string, dueMs: number): AddressedDoorbell => ({
  ...{ queue: webhookQueue, doorbell },
  place: { tenant, class: 'default', dueMs, tokens: webhookTokens },
})

export const batchWebhookRing = (doorbell: string, dueMs: number): AddressedDoorbell => ({
  ...{ queue: webhookQueue, doorbell },
  place: { tenant: 'default', class: 'interactive', dueMs, tokens: webhookTokens },
})

interface Pending extends AddressedDoorbell {
  readonly done: () => void
  readonly failed: (error: unknown) => void
}

/** More in one script would hold Redis up for others. */
const mostTogether = 500

/** `redis` fails fast in the API and waits patiently in workers: the caller chooses. */
export const createDoorbells = (
  redis: Redis | Cluster,
  run: RunScript,
  keys: Keys,
  weights?: TenantWeights,
): Doorbells => {
  const ready = createReadyList(redis, run, keys, weights)
  const removeScored = createRemoveScored(redis)
  let pending: Pending[] = []

  const ringQueue = async (queue: string, rings: readonly AddressedDoorbell[]): Promise<void> => {
    const parts = Array.from({ length: Math.ceil(rings.length / mostTogether) }, (_, i) =>
      rings.slice(i * mostTogether, (i + 1) * mostTogether),
    )
    await Promise.all(parts.map(part => ready.push(queue, part)))
    await acknowledge(rings)
  }

  const acknowledge = async (rings: readonly AddressedDoorbell[]): Promise<void> => {
    holdWrites(redis)
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

  const ringPending = async (queue: string, rings: readonly Pending[]): Promise<void> => {
    try {
      await ringQueue(queue, rings)
      for (const ring of rings) ring.done()
    } catch (error) {
      for (const ring of rings) ring.failed(error)
    }
  }

  const flush = (): void => {
    const all = pending
    pending = []
    for (const [queue, rings] of Map.groupBy(all, r => r.queue)) void ringPending(queue, rings)
  }

  return {
    ring: ring =>
      new Promise((done, failed) => {
        if (pending.push({ ...ring, done, failed }) === 1) setImmediate(flush)
      }),
    ringAll: async rings => {
      const byQueue = [...Map.groupBy(rings, r => r.queue)]
      await Promise.all(byQueue.map(([queue, group]) => ringQueue(queue, group)))
    },
    withdraw: async (queue, entries) => {
      if (entries.length > 0) await ready.remove(queue, entries)
    },
    areWaiting: ready.areWaiting,
    waiting: async queue => (await ready.depth(queue)).total,
    depth: ready.depth,
    take: ready.take,
    page: ready.page,
    heads: ready.heads,
    around: ready.around,
    freeSlots: ready.freeSlots,
    look: ready.look,
  }
}
