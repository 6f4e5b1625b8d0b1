import type { BatchRecord, BatchStatus, FeedCursor } from './record.ts'
import type { Fenced } from './steps.ts'
import type { Window } from './window.ts'
import type { BatchWork } from './work.ts'

/** Another feeder has the batch, or it has ended: nothing more is to be done with it here. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost'
}

/** Redis knows another state than this process: a restart of Redis took the last writes with it. */
export class OutOfDate extends Error {
  override readonly name = 'OutOfDate'
}

export const statusOf = (reply: Fenced): BatchStatus => {
  if (reply === 'lost') throw new LeaseLost('the lease of the batch is lost')
  if (reply === 'changed') throw new OutOfDate('the batch is not as it was left')
  return reply
}

/** Where a batch stands, as the parts that drive it in this process know it. */
export interface Progress {
  /** Requests there will be: fewer than in the record when the rest of the input is lost. */
  total: number
  inputLost: boolean
  readonly window: Window
  status: BatchStatus
  /** By its estimate it will not be done in its window. */
  isLate: boolean
  fed: number
  offset: number
  line: number
  collected: number
  /** US dollars, and collected lines that were jobs: what they cost. */
  cost: number
  ended: number
  /** Lines that were collected here with an answer, or with a failure that an answer was. */
  answered: number
  /** Done lines when last looked. */
  done: number
  /** Bytes of the requests that are not collected. */
  openBytes: number
  /** Numbers of the jobs that are not collected, in rising order. */
  readonly open: Set<number>
}

/** Ids asked for at a time when the open jobs are looked up. */
const lookupSize = 1_000

/** The open jobs are those whose records are there: collecting removes them. */
const findOpen = async (
  work: BatchWork,
  id: string,
  { lowWatermark: low, fed }: FeedCursor,
): Promise<Set<number>> => {
  const open = new Set<number>()
  for (let from = low + 1; from <= fed; from += lookupSize) {
    const numbers = Array.from({ length: Math.min(lookupSize, fed - from + 1) }, (_, i) => from + i)
    for (const number of await work.openJobs(id, numbers)) open.add(number)
  }
  return open
}

/** Takes a batch up where the feeder that drove it before left it. */
export const resume = async (work: BatchWork, batch: BatchRecord, window: Window): Promise<Progress> => {
  const { cursor, collected, status } = batch
  return {
    total: batch.total!,
    inputLost: false,
    window,
    status,
    isLate: batch.warning !== null,
    fed: cursor.fed,
    offset: cursor.offset,
    line: cursor.line,
    collected,
    cost: batch.costUsd ?? 0,
    ended: batch.endedJobs,
    answered: 0,
    done: await work.finishedCount(batch.id),
    openBytes: cursor.openBytes,
    open: await findOpen(work, batch.id, cursor),
  }
}
