import type { Attempt } from '../job.ts'

/**
 * A job whose worker ended this often while it ran may be what ends workers: from then on it runs alone, so that it takes no other job
 * along. Once can be the job beside it, a deploy or a machine.
 */
const lossesBeforeAlone = 2
/** Alone, it is to blame. Not for the first time: a machine may have gone down just then. */
const mostCrashes = 3

const countOf = (attempts: readonly Attempt[], ...reasons: readonly string[]): number =>
  attempts.filter(({ verdict, reason }) => verdict === null && reasons.includes(reason)).length

/** How often a worker ended that ran it. */
export const lossesOf = (attempts: readonly Attempt[]): number =>
  countOf(attempts, 'worker_lost', 'worker_crashed')

/** Whether a job is not called again, as its workers end of it. */
export const isPoison = (attempts: readonly Attempt[]): boolean =>
  countOf(attempts, 'worker_crashed') >= mostCrashes

export const runsAlone = (attempts: readonly Attempt[]): boolean => lossesOf(attempts) >= lossesBeforeAlone
