import type { Attempt, JobClass, Priority } from './job.ts'
import { lossesOf } from './routing/worker-losses.ts'

/**
 * The three classes of a queue. While all three wait, they get 64, 8 and 1 parts of the calls: so a connection waits for
 * the next free slot at most, and nothing starves. `bulk` has the lines of batches, but for urgent ones, and what a client called `low`.
 */
export const queueClasses = ['interactive', 'default', 'bulk'] as const
export type QueueClass = (typeof queueClasses)[number]
/** `src/queue/lua/prelude.lua` serves by the same. */
export const classWeights: Readonly<Record<QueueClass, number>> = { interactive: 64, default: 8, bulk: 1 }

/**
 * Where a job stands in a queue. It follows from the record alone, so a handover, a retry and a return from parking keep it, and
 * ringing twice is ringing once. Only a job that lost its worker falls behind.
 */
export interface Place {
  readonly tenant: string
  readonly class: QueueClass
  /** Unix ms. Within a class a tenant's earliest is served first. */
  readonly dueMs: number
  /** What it is estimated to take; tenants share a queue by these. */
  readonly tokens: number
}

export interface Placed {
  readonly tenant: string
  readonly class?: JobClass
  readonly priority: Priority
  readonly createdAtMs: number
  readonly expiresAtMs: number
  readonly tokens: number
  /** Which request of its batch it is, from 1; absent for a job of its own. */
  readonly line?: number
  /** A line whose batch was late, or near its deadline, when it was fed. */
  readonly urgent?: boolean
  readonly attempts?: readonly Attempt[]
}

/** A job of high priority is due as soon as a connection that would wait for so long. */
const highPriorityMs = 60_000
/** Each line of a batch is due so long after the one before it: batches with about the same deadline take turns. */
const betweenLinesMs = 1_000
/**
 * For each worker that it lost. At its old place it would be with the next one at once, beside the same jobs: those that are
 * not to blame would be lost as often as the one that is.
 */
const lossMs = 3_600_000

const classOf = ({ class: asked, priority, line, urgent }: Placed): QueueClass => {
  if (asked === 'interactive' || priority === 'high') return 'interactive'
  if (urgent) return 'default'
  return priority === 'low' || line !== undefined ? 'bulk' : 'default'
}

const dueOf = ({ priority, createdAtMs, expiresAtMs, line = 0, attempts = [] }: Placed): number =>
  (priority === 'high'
    ? Math.min(expiresAtMs, createdAtMs + highPriorityMs)
    : expiresAtMs + line * betweenLinesMs) +
  lossesOf(attempts) * lossMs

export const placeOf = (job: Placed): Place => ({
  tenant: job.tenant,
  class: classOf(job),
  dueMs: dueOf(job),
  tokens: job.tokens,
})
