import { setTimeout as delay } from 'node:timers/promises'
import { type PatrolParts, patrolRecords } from '../queue/reconciler.ts'
import { batchJobId } from '../redis/keys.ts'
import type { Progress } from './progress.ts'
import type { BatchRecord } from './record.ts'

export type WatchParts = Omit<PatrolParts, 'index'>

export interface WatchRun {
  readonly batch: BatchRecord
  readonly progress: Progress
  readonly signal: AbortSignal
}

const roundMs = 250
/** Jobs looked after in a round, and how often that is done. */
const patrolSize = 200
const patrolMs = 5_000
/** A worker ends its own calls at the deadline; only one that is dead or stuck is still running after this. */
const deadlineGraceMs = 5_000
const together = 200

/**
 * Looks after the jobs of a batch until `signal` aborts: ends them when the batch is cancelled or its window has passed, and, as they are in no index, does
 * the patrol's work for them.
 */
export const watchJobs = async (parts: WatchParts, run: WatchRun): Promise<void> => {
  const { store, now } = parts
  const { batch, progress, signal } = run
  /** Jobs known to be at their end. */
  const ended = new Set<number>()
  let patrolledUpTo = 0
  let patrolAtMs = now() + patrolMs

  const endJob = async (number: number): Promise<void> => {
    const id = batchJobId(batch.id, number)
    const was =
      progress.status === 'cancelling'
        ? await store.cancel(id)
        : await store.expire(id, batch.expiresAtMs + deadlineGraceMs)
    if (was !== 'spared') ended.add(number)
  }

  const endJobs = async (): Promise<void> => {
    const live = [...progress.open].filter(number => !ended.has(number))
    for (let from = 0; from < live.length && !signal.aborted; from += together) {
      await Promise.all(live.slice(from, from + together).map(endJob))
    }
  }

  const patrol = async (): Promise<void> => {
    const open = [...progress.open]
    const start = open.findIndex(number => number > patrolledUpTo)
    const numbers = start === -1 ? open.slice(0, patrolSize) : open.slice(start, start + patrolSize)
    patrolledUpTo = numbers.at(-1) ?? 0
    const records = await store.readHeads(numbers.map(number => batchJobId(batch.id, number)))
    await patrolRecords(
      parts,
      records.filter(record => record !== null),
    )
  }

  while (!signal.aborted) {
    if (progress.status === 'cancelling' || batch.expiresAtMs <= now()) await endJobs()
    else if (patrolAtMs <= now()) {
      await patrol()
      patrolAtMs = now() + patrolMs
    }
    await delay(roundMs, undefined, { signal }).catch(() => undefined)
  }
}
