import type { Cluster, Redis } from 'ioredis'
import { type Keys, shardOf } from './keys.ts'
import type { RunScript } from './scripts.ts'

export type DeliveryResult =
  | { readonly status: 'delivered' | 'dead'; readonly reason: string }
  | { readonly status: 'pending'; readonly reason: string; readonly nextAtMs: number }

/** How the webhook of a job or a batch fares, as its record tells. */
export interface Deliveries {
  /** False when this attempt was recorded before. */
  recordDelivery(id: string, attemptsBefore: number, result: DeliveryResult): Promise<boolean>
  /** Asks for a delivery's doorbell to be rung once more, when its attempt could not be made. */
  owe(id: string, attempt: number): Promise<void>
  /** Takes a dead letter back into delivery; false when there is none. */
  redeliver(id: string): Promise<boolean>
}

export interface DeliveriesOptions {
  readonly redis: Redis | Cluster
  readonly run: RunScript
  readonly keys: Keys
  /** The key of the record whose webhook it is. */
  readonly recordOf: (id: string) => string
  /** How long the record can be read once its webhook is delivered, and once it is given up. */
  readonly retentionMs: number
  readonly deadLetterRetentionMs: number
  readonly now: () => number
}

/**
 * BullMQ takes no ring by a name that it has: the doorbell waits until the ring that it came with has surely ended, or it
 * would be lost with that.
 */
const ringEndsMs = 1_500

export const createDeliveries = (options: DeliveriesOptions): Deliveries => {
  const { redis, run, keys, recordOf, retentionMs, deadLetterRetentionMs, now } = options
  return {
    recordDelivery: async (id, attemptsBefore, result) =>
      (await run('delivery', [
        recordOf(id),
        keys.agenda(shardOf(id)),
        keys.deadLetters(shardOf(id)),
        id,
        attemptsBefore,
        result.status,
        now(),
        result.status === 'pending' ? result.nextAtMs : 0,
        result.status === 'dead' ? deadLetterRetentionMs : retentionMs,
        result.reason,
      ])) === 1,

    owe: async (id, attempt) => {
      await redis.zadd(keys.agenda(shardOf(id)), now() + ringEndsMs, `${id}.w.${attempt}`)
    },

    redeliver: async id =>
      (await run('redeliver', [
        recordOf(id),
        keys.agenda(shardOf(id)),
        keys.deadLetters(shardOf(id)),
        id,
        now(),
      ])) === 1,
  }
}
