import type { Logger } from 'pino'
import { isTerminal } from '../domain/job.ts'
import { timerHorizonMs } from '../jobs/codec.ts'
import { deadlineEntry, deliveryEntry, jobDoorbell, leaseEntry, webhookDoorbell } from '../jobs/doorbell.ts'
import type { JobIndex } from '../jobs/index-stream.ts'
import type { JobRecord } from '../jobs/record.ts'
import type { Schedule } from '../jobs/schedule.ts'
import type { JobStore } from '../jobs/types.ts'
import { createRepeating, type Repeating } from '../lifecycle/repeating.ts'
import { type Doorbells, providerQueue, webhookQueue } from './doorbells.ts'

const pollMs = 1_000
const perShard = 200

export interface ReconcilerDeps {
  readonly index: JobIndex
  readonly schedule: Schedule
  readonly store: Pick<JobStore, 'recover' | 'readHeads'>
  /** Puts back the doorbell of a job's webhook. */
  readonly recoverDelivery: (id: string, attempt: number) => Promise<boolean>
  readonly doorbells: Doorbells
  readonly log: Logger
  readonly now: () => number
}

/**
 * The slow reconciler: walks every shard's index and puts back what a live job is owed and has lost:
 * a doorbell that an operator removed or a lost Redis tail took with it, and the timer of a deadline that has come near.
 */
export const reconcileRecords = async (
  parts: Omit<ReconcilerDeps, 'index'>,
  records: readonly JobRecord[],
): Promise<void> => {
  const { schedule, doorbells, store, now } = parts
  const mayRing = createMayRing(doorbells)

  const attend = async (record: JobRecord): Promise<void> => {
    if (isTerminal(record.status)) return attendDelivery(record)
    if (record.expiresAtMs - now() <= timerHorizonMs)
      await schedule.add(deadlineEntry(record.id), record.expiresAtMs)
    if (await isOwed(record)) return
    const recovered = await store.recover(record)
    if (recovered)
      parts.log.warn(
        { event: 'job.recovered', jobId: record.id, status: record.status },
        'job recovered by the reconciler',
      )
  }

  const attendDelivery = async (record: JobRecord): Promise<void> => {
    if (record.delivery?.status !== 'pending') return
    const { attempts } = record.delivery
    const doorbell = webhookDoorbell(record.id, attempts)
    if (await isScheduled(doorbell, deliveryEntry(record.id, attempts))) return
    if (await mayRing(webhookQueue, record.lastChangeAtMs)) return
    await parts.recoverDelivery(record.id, attempts)
  }

  const isScheduled = async (...entries: readonly string[]): Promise<boolean> =>
    (await schedule.has(entries)).includes(true)

  /**
   * Whether something will wake a live job: its worker's lease, its doorbell in the schedule, or one at its
   * queue.
   */
  const isOwed = async ({ id, status, hop, generation, ...record }: JobRecord): Promise<boolean> => {
    if (status === 'running') return isScheduled(leaseEntry(id))
    if (await isScheduled(jobDoorbell(id, hop, generation))) return true
    return mayRing(
      providerQueue(record.target.provider),
      Math.max(record.lastChangeAtMs, record.resumesAtMs ?? 0),
    )
  }

  const settled = records.filter(r => r.lastChangeAtMs + settledAfterMs <= now())
  await Promise.all(settled.map(attend))
}

/** Runs in every process; a lease lets one walk at a time. */
export const createReconciler = (parts: ReconcilerDeps): Repeating =>
  createRepeating(
    'reconciler',
    pollMs,
    async () => {
      const ids = await parts.index.walk(perShard)
      const records = await parts.store.readHeads(ids)
      await reconcileRecords(
        parts,
        records.filter(r => r !== null),
      )
    },
    parts.log,
  )

/** Younger calls may stand between two steps of their worker. */
export const settledAfterMs = 60_000

/**
 * Whether a doorbell that was rung at a time may still be in its queue. BullMQ cannot say which of its jobs
 * carries it, but all that were rung before the oldest that waits have been answered. Asks each queue once.
 */
export const createMayRing = (doorbells: Pick<Doorbells, 'oldestRungAt'>) => {
  const asked = new Map<string, Promise<number | null>>()
  const oldestRungAt = (queue: string): Promise<number | null> => {
    const answer = asked.get(queue) ?? doorbells.oldestRungAt(queue)
    asked.set(queue, answer)
    return answer
  }
  return async (queue: string, rungAtMs: number): Promise<boolean> => {
    const oldestMs = await oldestRungAt(queue)
    return oldestMs !== null && oldestMs <= rungAtMs + settledAfterMs
  }
}
