import type { Logger } from 'pino'
import { isTerminal } from '../domain/job.ts'
import { placeOf } from '../domain/place.ts'
import { timerHorizonMs } from '../jobs/codec.ts'
import { deadlineEntry, deliveryEntry, jobDoorbell, leaseEntry, webhookDoorbell } from '../jobs/doorbell.ts'
import type { IndexTrim } from '../jobs/index-trim.ts'
import type { Adrift, LiveWalk } from '../jobs/live-walk.ts'
import type { JobRecord } from '../jobs/record.ts'
import type { Schedule } from '../jobs/schedule.ts'
import type { JobStore } from '../jobs/types.ts'
import { createRepeating, type Repeating } from '../lifecycle/repeating.ts'
import {
  type AddressedDoorbell,
  type Doorbells,
  jobWebhookRing,
  providerQueue,
  webhookQueue,
} from './doorbells.ts'
import type { Entry } from './ready-list.ts'

export const walkPollMs = 1_000
/** Live jobs of a shard that are looked at in a second: a million take nine minutes. */
export const walkedPerShard = 120
const trimmedPerShard = 500

export interface ReconcilerDeps {
  readonly walk: LiveWalk
  readonly trim: IndexTrim
  /** Whether this process is the one that walks for now. */
  readonly mayWalk: () => Promise<boolean>
  readonly schedule: Schedule
  readonly store: Pick<JobStore, 'recover' | 'readHeads'>
  /** Puts back the doorbell of a job's webhook. */
  readonly recoverDelivery: (id: string, attempt: number) => Promise<boolean>
  readonly doorbells: Doorbells
  readonly log: Logger
  readonly now: () => number
}

/**
 * Puts back what a live job is owed and has lost: a doorbell that an operator removed or a lost Redis tail took with it, and
 * the timer of a deadline that has come near.
 */
export const reconcileRecords = async (
  parts: Omit<ReconcilerDeps, 'walk' | 'trim' | 'mayWalk'>,
  records: readonly JobRecord[],
): Promise<void> => {
  const { schedule, doorbells, store, now } = parts

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
    if (await waits(jobWebhookRing(doorbell, record.tenant, now()))) return
    await parts.recoverDelivery(record.id, attempts)
  }

  const waits = async ({ queue, ...entry }: AddressedDoorbell): Promise<boolean> =>
    (await doorbells.areWaiting(queue, [entry])).includes(true)

  const isScheduled = async (...entries: readonly string[]): Promise<boolean> =>
    (await schedule.has(entries)).includes(true)

  /**
   * Whether something will wake a live job: its worker's lease, its doorbell in the schedule, or one at its
   * queue.
   */
  const isOwed = async (record: JobRecord): Promise<boolean> => {
    const { id, status, hop, generation } = record
    if (status === 'running') return isScheduled(leaseEntry(id))
    const doorbell = jobDoorbell(id, hop, generation)
    if (await isScheduled(doorbell)) return true
    return waits({ queue: providerQueue(record.target.provider), doorbell, place: placeOf(record) })
  }

  const settled = records.filter(r => r.lastChangeAtMs + settledAfterMs <= now())
  await Promise.all(settled.map(attend))
}

/** Those that wait in no queue: of most, which do, no record is read. */
export const lostOf = async (
  doorbells: Pick<Doorbells, 'areWaiting'>,
  adrift: readonly Adrift[],
): Promise<readonly string[]> => {
  const byQueue = Map.groupBy(adrift, ({ bell }) => bell && queueOf(bell.provider))
  const lost = await Promise.all(
    [...byQueue].map(async ([queue, group]) => {
      if (queue === null) return group
      const waits = await doorbells.areWaiting(queue, group.map(entryOf))
      return group.filter((_, i) => !waits[i])
    }),
  )
  return lost.flat().map(({ id }) => id)
}

const queueOf = (provider: string): string => (provider === '' ? webhookQueue : providerQueue(provider))

const entryOf = ({ bell }: Adrift): Entry => {
  const { doorbell, provider, place } = bell!
  return provider === '' ? jobWebhookRing(doorbell, place.tenant, place.dueMs) : { doorbell, place }
}

/** Goes on over the live jobs. */
export const walkOn = async (parts: ReconcilerDeps): Promise<void> => {
  if (!(await parts.mayWalk())) return parts.walk.forget()
  await parts.trim.next(trimmedPerShard)
  const lost = await lostOf(parts.doorbells, await parts.walk.next(walkedPerShard))
  const records = await parts.store.readHeads(lost)
  await reconcileRecords(
    parts,
    records.filter(r => r !== null),
  )
}

/** Runs in every process; one at a time walks. */
export const createReconciler = (parts: ReconcilerDeps): Repeating =>
  createRepeating('reconciler', walkPollMs, () => walkOn(parts), parts.log)

/** Younger calls may stand between two steps of their worker. */
export const settledAfterMs = 60_000
