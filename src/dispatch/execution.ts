import type { SharedCall } from '../cache/single-flight.ts'
import type { Interrupt } from '../domain/interrupt.ts'
import type { Attempt } from '../domain/job.ts'
import type { RouteTarget } from '../domain/routing/chain.ts'
import type { RoutingLimits } from '../domain/routing/next-step.ts'
import type { Claim, JobResult, Move } from '../jobs/store.ts'
import { shortWaitMs } from '../rate-limits/intake.ts'
import type { SideBySide } from './mirror-fallback.ts'
import type { Adjusted } from './request-targets.ts'

/** A claimed job on its way through this worker. */
export interface Execution {
  readonly claim: Claim
  readonly targets: readonly RouteTarget[]
  readonly current: RouteTarget
  readonly adjusted: Adjusted
  readonly isLastResort: (target: RouteTarget) => boolean
  /** See `Walk.exactUntilMs`. */
  readonly exactUntilMs: number
  readonly refusalHandsOver: boolean
  readonly limits: RoutingLimits
  readonly interrupt: Interrupt
  /** All calls, oldest first, and how many of them the record holds already. */
  readonly attempts: Attempt[]
  recorded: number
  attemptsSpent: number
  /** Its end is on its way to Redis, and the lease is held until it is there. */
  finalising: boolean
  /** The last answer that came in the client's own format, or could not be put into it: what it is shown when the job fails. */
  lastResponse: JobResult['response']
  /** Its part in a call that others may share; null where the route has no cache. */
  flight: SharedCall | null
  /** The mirror that is asked beside it; undefined before the first call, null when none is, or when the log has it. */
  beside: SideBySide | null | undefined
}

export const unrecorded = (run: Execution): readonly Attempt[] => run.attempts.slice(run.recorded)

/** For room where there is no other target: then it is parked until there will be some. */
const longWaitMs = 15_000

/** For how long a job rather waits for a target that takes its request as it is than being asked of another without something. */
export const soonMs = 5_000
/** Put back that often to wait for it, it goes on. */
const longestPatience = 3

/** From the first call on, so that tries in vain do not add up. Without one, its moves tell how often it was put back. */
export const exactUntilOf = (
  { attempts: [first], generation, hop }: Pick<Claim, 'attempts' | 'generation' | 'hop'>,
  nowMs: number,
): number => {
  const putBack = first === undefined ? Math.max(generation, hop) : generation
  return putBack >= longestPatience ? 0 : (first === undefined ? nowMs : first.started_at * 1_000) + soonMs
}

/** How long it waits for room within the limits: where it could go on elsewhere, no longer than a handover is worth. */
export const maxWaitMs = ({ targets, current, isLastResort }: Execution): number => {
  const others = targets.filter(target => target !== current)
  if (others.length === 0) return longWaitMs
  return !isLastResort(current) && others.every(isLastResort) ? soonMs : shortWaitMs
}

/** Where the job goes when it leaves this worker: to the next target, or back to where it stands. */
export const moveTo = (run: Execution, target: RouteTarget): Move => {
  const here = target === run.current
  return {
    hop: here ? run.claim.hop : run.claim.hop + 1,
    generation: here ? run.claim.generation + 1 : 0,
    target: { provider: target.provider, model: target.model },
    attemptsSpent: run.attemptsSpent,
    attempts: unrecorded(run),
  }
}
