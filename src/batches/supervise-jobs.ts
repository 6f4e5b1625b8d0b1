import { setTimeout as delay } from 'node:timers/promises'
import type { JobStore } from '../jobs/types.ts'
import { type ReconcilerDeps, reconcileRecords } from '../queue/reconciler.ts'
import { deadlineGraceMs } from '../queue/sweeper.ts'
import { batchJobId } from '../redis/keys.ts'
import type { Progress } from './progress.ts'
import type { BatchRecord } from './record.ts'

export interface SupervisionDeps
  extends Omit<ReconcilerDeps, 'walk' | 'trim' | 'mayWalk' | 'recoverDelivery'> {
  readonly store: Pick<JobStore, 'recover' | 'readHeads' | 'cancel' | 'expire'>
}

/** These jobs have no webhook of their own: their batch has one. */
const recoverDelivery = async (): Promise<boolean> => false

export interface SupervisionRun {
  readonly batch: BatchRecord
  readonly progress: Progress
  readonly signal: AbortSignal
}

const roundMs = 250
/** Jobs looked after in a round, and how often that is done. */
const checkedAtOnce = 200
const checkEveryMs = 5_000
const together = 200

/**
 * Looks after the jobs of a batch until `signal` aborts: ends them when the batch is cancelled or its window has passed, and, as they are in no index, does
 * the reconciler's work for them.
 */
export const superviseJobs = async (parts: SupervisionDeps, run: SupervisionRun): Promise<void> => {
  const { store, now } = parts
  const { batch, progress, signal } = run
  /** Jobs known to be at their end. */
  const ended = new Set<number>()
  let checkedUpTo = 0
  let nextCheckAtMs = now() + checkEveryMs

  const endJob = async (number: number): Promise<void> => {
    const id = batchJobId(batch.id, number)
    const was =
      progress.status === 'cancelling'
        ? await store.cancel(id)
        : await store.expire(id, batch.expiresAtMs + deadlineGraceMs)
    if (was !== 'deferred') ended.add(number)
  }

  const endJobs = async (): Promise<void> => {
    const live = [...progress.open].filter(number => !ended.has(number))
    for (let from = 0; from < live.length && !signal.aborted; from += together) {
      await Promise.all(live.slice(from, from + together).map(endJob))
    }
  }

  const checkOpenJobs = async (): Promise<void> => {
    const open = [...progress.open]
    const start = open.findIndex(number => number > checkedUpTo)
    const numbers = start === -1 ? open.slice(0, checkedAtOnce) : open.slice(start, start + checkedAtOnce)
    checkedUpTo = numbers.at(-1) ?? 0
    const records = await store.readHeads(numbers.map(number => batchJobId(batch.id, number)))
    await reconcileRecords(
      { ...parts, recoverDelivery },
      records.filter(record => record !== null),
    )
  }

  while (!signal.aborted) {
    if (progress.status === 'cancelling' || batch.expiresAtMs <= now()) await endJobs()
    else if (nextCheckAtMs <= now()) {
      await checkOpenJobs()
      nextCheckAtMs = now() + checkEveryMs
    }
    await delay(roundMs, undefined, { signal }).catch(() => undefined)
  }
}
