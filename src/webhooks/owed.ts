import type { Cluster, Redis } from 'ioredis'
import { isNoticeId, type Keys, shardOf, shards } from '../redis/keys.ts'
import type { RunScript } from '../redis/scripts.ts'
import { deliveryScripts } from './scripts.ts'

/** How the webhook of a batch, or of a notice, stands that is owed. */
export interface OwedDelivery {
  readonly attempts: number
  readonly lastDueAtMs: number
}

/**
 * The webhooks of batches that are owed. Each is in this set from the step that owes it to the one that
 * records its delivery or gives it up, even when its doorbell and its entry in the schedule are lost.
 */
export interface OwedAnnouncements {
  /** Those that were last looked at before then, up to `perShard` of each shard. */
  notSeenSince(beforeMs: number, perShard: number): Promise<readonly string[]>
  /** Null when it is owed no more. */
  look(id: string): Promise<OwedDelivery | null>
  /** Puts its doorbell back; false when it is not due (any more), or a worker delivers it. */
  recover(id: string, attempt: number): Promise<boolean>
}

export interface OwedOptions {
  readonly redis: Redis | Cluster
  readonly run: RunScript
  readonly keys: Keys
  readonly now: () => number
}

export const createOwedAnnouncements = ({ redis, run, keys, now }: OwedOptions): OwedAnnouncements => {
  const recordOf = (id: string): string => (isNoticeId(id) ? keys.notice(id) : keys.batch(id))

  return {
    notSeenSince: async (beforeMs, perShard) => {
      const lists = shards.map(shard =>
        redis.zrange(keys.owed(shard), '-inf', String(beforeMs), 'BYSCORE', 'LIMIT', 0, perShard),
      )
      return (await Promise.all(lists)).flat()
    },
    look: async id => {
      const [attempts, lastDueAtMs] = (await run(deliveryScripts.lookOwed, [
        recordOf(id),
        keys.owed(shardOf(id)),
        id,
        now(),
      ])) as string[]
      return attempts === undefined ? null : { attempts: Number(attempts), lastDueAtMs: Number(lastDueAtMs) }
    },
    recover: async (id, attempt) =>
      (await run(deliveryScripts.recover, [recordOf(id), keys.schedule(shardOf(id)), id, attempt, now()])) ===
      1,
  }
}
