import type { Cluster, Redis } from 'ioredis'
import { coalesce } from './coalesce.ts'
import type { RecordFields } from './job-record.ts'
import { type Keys, shardOf } from './keys.ts'
import type { RunScript } from './scripts.ts'

export type DeliveryResult =
  | { readonly status: 'delivered' | 'dead'; readonly reason: string }
  | { readonly status: 'pending'; readonly reason: string; readonly nextAtMs: number }

/** How the webhook of a job or a batch fares, as its record tells. */
export interface Deliveries {
  /** The record whose webhook is to be delivered; null when this attempt is not what it waits for (any more). */
  takeDelivery(id: string, attempt: number): Promise<RecordFields | null>
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

interface Doorbell {
  readonly id: string
  readonly attempt: number
}

interface Delivered extends Doorbell {
  readonly result: DeliveryResult
}

/** What HGETALL tells within a script. */
const fieldsOf = (flat: readonly string[]): RecordFields => {
  const fields: Record<string, string> = {}
  for (let i = 0; i < flat.length; i += 2) fields[flat[i]!] = flat[i + 1]!
  return fields
}

export const createDeliveries = (options: DeliveriesOptions): Deliveries => {
  const { redis, run, keys, recordOf, retentionMs, deadLetterRetentionMs, now } = options
  const shardOfDoorbell = ({ id }: Doorbell): number => shardOf(id)

  const take = coalesce<Doorbell, RecordFields | null>(shardOfDoorbell, async (shard, doorbells) => {
    const words = doorbells.map(({ id, attempt }) => [recordOf(id), String(attempt)])
    const replies = (await run.packed('take-delivery', keys.agenda(shard), words)) as (string[] | false)[]
    return replies.map(reply => (reply ? fieldsOf(reply) : null))
  })

  const deliveryWords = ({ id, attempt, result }: Delivered): string[] => [
    recordOf(id),
    id,
    String(attempt),
    result.status,
    result.reason,
    String(result.status === 'dead' ? deadLetterRetentionMs : retentionMs),
    String(result.status === 'pending' ? result.nextAtMs : 0),
  ]

  const record = coalesce<Delivered, boolean>(shardOfDoorbell, async (shard, deliveries) => {
    const words = [String(now()), ...deliveries.map(deliveryWords)]
    const replies = (await run.packed('delivery', keys.agenda(shard), words)) as number[]
    return replies.map(reply => reply === 1)
  })

  return {
    takeDelivery: (id, attempt) => take({ id, attempt }),

    recordDelivery: (id, attempt, result) => record({ id, attempt, result }),

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
