import type { Cluster, Redis } from 'ioredis'
import { deliveryEntry, deliveryLease } from '../jobs/doorbell.ts'
import { createPayloads } from '../jobs/payloads.ts'
import type { RecordFields } from '../jobs/record.ts'
import { coalesce } from '../redis/coalesce.ts'
import { isNoticeId, type Keys, shardOf } from '../redis/keys.ts'
import { createOwedWrite } from '../redis/owed-write.ts'
import type { RunScript } from '../redis/scripts.ts'
import { deliveryScripts } from './scripts.ts'

export type DeliveryResult =
  | { readonly status: 'delivered' | 'dead'; readonly reason: string }
  | { readonly status: 'pending'; readonly reason: string; readonly nextAtMs: number }

/** How the webhook of a job or a batch fares, as its record says. */
export interface Deliveries {
  /**
   * Takes a delivery for `leaseMs`, and answers the record whose webhook it is; null when this attempt is not what that
   * waits for (any more), or another has taken it. Unless the lease is renewed, the doorbell is rung again at its end.
   */
  takeDelivery(id: string, attempt: number): Promise<RecordFields | null>
  /** Holds a delivery that was taken, by the name of its doorbell, for another `leaseMs`, unless it is done. */
  renewDelivery(doorbell: string): Promise<void>
  /** False when this attempt was recorded before. */
  recordDelivery(
    id: string,
    attemptsBefore: number,
    result: DeliveryResult,
    tookMs?: number,
  ): Promise<boolean>
  /** Asks for the doorbell of a delivery that was taken to be rung once more, when its attempt could not be made. */
  reschedule(id: string, attempt: number): Promise<void>
  /** Gives a delivery back that was taken: it is rung again then, and no attempt is counted. False when it is over. */
  holdDelivery(id: string, attempt: number, dueAtMs: number): Promise<boolean>
  /** Puts back the doorbell of a delivery that no worker has taken; false when it is not due (any more). */
  recoverDelivery(id: string, attempt: number): Promise<boolean>
  /** Takes a dead letter back into delivery; false when there is none. */
  redeliver(id: string): Promise<boolean>
}

export interface DeliveriesOptions {
  readonly redis: Redis | Cluster
  readonly run: RunScript
  readonly keys: Keys
  /** The key of the record whose webhook it is. */
  readonly recordOf: (id: string) => string
  /** How long a worker may be silent before its deliveries are given to others. */
  readonly leaseMs: number
  /** How long the record can be read once its webhook is delivered, and once it is given up. */
  readonly retentionMs: number
  readonly deadLetterRetentionMs: number
  readonly now: () => number
}

/**
 * BullMQ ignores a job whose name it already has. So the doorbell waits until the BullMQ job that it came
 * with has surely ended, or it would be lost.
 */
const ringEndsMs = 1_500

/** Each reply has a whole record, with an answer of up to 64 kB. */
const takenTogether = 8

interface Doorbell {
  readonly id: string
  readonly attempt: number
}

interface Held extends Doorbell {
  readonly dueAtMs: number
}

interface Delivered extends Doorbell {
  readonly result: DeliveryResult
  readonly tookMs: number
}

/** Reads what HGETALL replies within a script. */
const fieldsOf = (flat: readonly string[]): RecordFields => {
  const fields: Record<string, string> = {}
  for (let i = 0; i < flat.length; i += 2) fields[flat[i]!] = flat[i + 1]!
  return fields
}

export const createDeliveries = (options: DeliveriesOptions): Deliveries => {
  const { redis, run, keys, recordOf, leaseMs, retentionMs, deadLetterRetentionMs, now } = options
  const write = createOwedWrite(redis)
  const shardOfDoorbell = ({ id }: Doorbell): number => shardOf(id)

  const takeOf = async (shard: number, doorbells: readonly Doorbell[]): Promise<(RecordFields | null)[]> => {
    const nowMs = now()
    const items = doorbells.map(({ id, attempt }) => [recordOf(id), id, String(attempt)])
    // Less than a millisecond tells a script that is sent again from another that asks for the same.
    const untilMs = nowMs + leaseMs - Math.random()
    const words = [String(nowMs), String(untilMs), ...items]
    const replies = (await run.packed(deliveryScripts.take, keys.schedule(shard), words)) as (
      | string[]
      | false
    )[]
    return replies.map(reply => (reply ? fieldsOf(reply) : null))
  }
  const take = coalesce(shardOfDoorbell, takeOf, { most: takenTogether })

  const deliveryWords = ({ id, attempt, result, tookMs }: Delivered): string[] => [
    recordOf(id),
    id,
    String(attempt),
    result.status,
    result.reason,
    String(result.status === 'dead' ? deadLetterRetentionMs : retentionMs),
    String(result.status === 'pending' ? result.nextAtMs : 0),
    String(tookMs),
  ]

  const record = coalesce<Delivered, boolean>(shardOfDoorbell, async (shard, deliveries) => {
    const words = [String(now()), ...deliveries.map(deliveryWords)]
    const replies = (await run.packed(deliveryScripts.record, keys.schedule(shard), words)) as number[]
    return replies.map(reply => reply === 1)
  })

  const hold = coalesce<Held, boolean>(shardOfDoorbell, async (shard, deliveries) => {
    const items = deliveries.map(({ id, attempt, dueAtMs }) => [
      recordOf(id),
      id,
      String(attempt),
      String(dueAtMs),
    ])
    const words = [String(now()), ...items]
    const replies = (await run.packed(deliveryScripts.hold, keys.schedule(shard), words)) as number[]
    return replies.map(reply => reply === 1)
  })

  return {
    takeDelivery: (id, attempt) => take({ id, attempt }),

    holdDelivery: (id, attempt, dueAtMs) => hold({ id, attempt, dueAtMs }),

    recordDelivery: (id, attempt, result, tookMs = 0) => record({ id, attempt, result, tookMs }),

    reschedule: async (id, attempt) => {
      await write('ZADD', keys.schedule(shardOf(id)), now() + ringEndsMs, deliveryEntry(id, attempt))
    },

    renewDelivery: async doorbell => {
      await write('ZADD', keys.schedule(shardOf(doorbell)), 'XX', now() + leaseMs, deliveryLease(doorbell))
    },

    recoverDelivery: async (id, attempt) =>
      (await run(deliveryScripts.recover, [recordOf(id), keys.schedule(shardOf(id)), id, attempt, now()])) ===
      1,

    redeliver: async id =>
      (await run(deliveryScripts.redeliver, [recordOf(id), keys.schedule(shardOf(id)), id, now()])) === 1,
  }
}

type OptionsOf = Omit<DeliveriesOptions, 'recordOf'>

/** Those of jobs: a record that is taken has its answer, however long that is. */
export const createJobDeliveries = (options: OptionsOf): Deliveries => {
  const { redis, keys } = options
  const payloads = createPayloads(redis, keys)
  const deliveries = createDeliveries({ ...options, recordOf: keys.record })
  return {
    ...deliveries,
    takeDelivery: async (id, attempt) => {
      const fields = await deliveries.takeDelivery(id, attempt)
      return fields && payloads.whole(id, fields)
    },
  }
}

/** Those of batches, and of notices that one is blocked. */
export const createBatchDeliveries = (options: OptionsOf): Deliveries => {
  const { keys } = options
  return createDeliveries({ ...options, recordOf: id => (isNoticeId(id) ? keys.notice(id) : keys.batch(id)) })
}

/** The webhooks of jobs, and those of batches and notices. */
export interface DeliveriesByKind {
  readonly jobs: Deliveries
  readonly batches: Deliveries
}
