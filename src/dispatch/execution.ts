import type { GivenAnswer } from '../cache/single-flight.ts'
import type { Interrupt } from '../domain/interrupt.ts'
import type { Attempt } from '../domain/job.ts'
import type { Obstacle } from '../domain/obstacle.ts'
import type { RouteTarget } from '../domain/routing/chain.ts'
import type { RoutingLimits } from '../domain/routing/next-step.ts'
import { patienceOf } from '../domain/routing/patience.ts'
import { lossesOf } from '../domain/routing/worker-losses.ts'
import type { Claim, JobResult, Move } from '../jobs/types.ts'
import type { Mirrors } from '../mirror/mirrors.ts'
import type { StreamWriter } from '../streams/stream-writer.ts'
import { type Adjusted, isLastResort, lastResortsLast, targetsFor } from './request-targets.ts'
import { atAccount, type Providers, type Route, type Routes, requestOf, singleTargetRoute } from './routes.ts'
import type { OrderTargets } from './target-order.ts'

/** A call of the mirror that goes on beside a job's own. */
export interface SideBySide {
  readonly startedAtMs: number
  /** False when nobody is asked after all; null while that is not known. */
  isAsked: boolean | null
}

/** The state of a claimed job while this worker has it. */
export interface Execution {
  readonly claim: Claim
  readonly targets: readonly RouteTarget[]
  readonly current: RouteTarget
  readonly adjusted: Adjusted
  readonly isLastResort: (target: RouteTarget) => boolean
  /** See `RoutingState.exactUntilMs`. */
  readonly exactUntilMs: number
  readonly refusalHandsOver: boolean
  /** How long it waits here for room while another target could be asked. */
  readonly patienceMs: number
  readonly limits: RoutingLimits
  readonly interrupt: Interrupt
  /** All calls, oldest first, and how many of them the record holds already. */
  readonly attempts: Attempt[]
  recorded: number
  attemptsSpent: number
  /** Whether it may share its call, and the answer, with others that ask the same. */
  readonly mayShareCall: boolean
  /**
   * The last answer that came in the client's own format, or could not be put into it: what it is shown when
   * the job fails.
   */
  lastResponse: JobResult['response']
  /**
   * The mirror's parallel call; undefined before the first call, null without one, or once the log has it.
   */
  beside: SideBySide | null | undefined
  /** Where its answer is streamed to; null where nobody asked for that. Another one where it begins anew. */
  stream: StreamWriter | null
  /** The result, with all calls, once it is in Redis; null where it came too late there. Never rejects. */
  written?: Promise<JobResult | null>
}

/** The result of a job, but for its calls. */
export type Result = Omit<JobResult, 'attempts' | 'costUsd'>

/** How a job leaves the worker that claimed it. It is decided first, and written afterwards. */
export type Ending =
  /** `answer`: where it is as good for others that ask the same. */
  | { readonly kind: 'finished'; readonly result: Result; readonly answer: GivenAnswer | null }
  | { readonly kind: 'handed_over'; readonly target: RouteTarget }
  | {
      readonly kind: 'parked'
      readonly target: RouteTarget
      readonly untilMs: number
      /** What it waits for, where that is known. */
      readonly obstacle: Obstacle | null
    }
  /** Cancelled, expired or superseded; for any other reason it is handed back. */
  | { readonly kind: 'interrupted'; readonly reason: unknown }
  /** Another worker has it by now, or it has ended. */
  | { readonly kind: 'lost' }
  /** All is written already. */
  | { readonly kind: 'written' }

export const unrecorded = (run: Execution): readonly Attempt[] => run.attempts.slice(run.recorded)

/** The longest wait for the limits of a job without another target. After it the job is parked. */
const longWaitMs = 15_000

/**
 * How long a job waits for a target that takes its request unchanged, before another is asked with something
 * left out.
 */
export const soonMs = 5_000
/** A job that was put back this often to wait for such a target stops waiting. */
const longestPatience = 3

/**
 * Counted from the first call, so that failed tries do not add up. Without one, `generation` and `hop` show
 * how often it was put back.
 */
export const exactUntilOf = (
  { attempts: [first], generation, hop }: Pick<Claim, 'attempts' | 'generation' | 'hop'>,
  nowMs: number,
): number => {
  const putBack = first === undefined ? Math.max(generation, hop) : generation
  return putBack >= longestPatience ? 0 : (first === undefined ? nowMs : first.started_at * 1_000) + soonMs
}

/** How long the job waits for the limits: with another target, as long as its patience. */
export const maxWaitMs = ({ targets, current, isLastResort, patienceMs }: Execution): number => {
  const others = targets.filter(target => target !== current)
  if (others.length === 0) return longWaitMs
  return !isLastResort(current) && others.every(isLastResort) ? soonMs : patienceMs
}

/** Where the job goes when it leaves this worker: to the next target, or back into its current queue. */
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

/** What an execution may do. A mirror's sample may do less than a client's job. */
interface ExecutionTerms {
  readonly route: Route
  readonly retries: number
  readonly maxAttempts: number
  readonly mayShareCall: boolean
  /** Whether losing its worker counts as an attempt. */
  readonly countsLosses: boolean
}

export interface BeginDeps {
  readonly routes: Routes
  readonly providers: Providers
  readonly mirrors: Pick<Mirrors, 'isSample' | 'targetOf'>
  readonly order: OrderTargets
  readonly retries: number
  readonly maxAttempts: number
  readonly backoffOf: RoutingLimits['backoffOf']
  readonly now: () => number
}

/** Makes an execution of a claim, by the routes of the config as it is now. */
export const createBegin = (deps: BeginDeps) => {
  const { routes, providers, mirrors, order, backoffOf, now } = deps

  const termsOf = ({ id, model }: Claim, here: RouteTarget): ExecutionTerms => {
    if (!mirrors.isSample(id)) {
      // A worker that does not know a new route yet can still do what it was sent.
      const route = routes.get(model) ?? singleTargetRoute(here)
      const { retries, maxAttempts } = deps
      return { route, retries, maxAttempts, mayShareCall: true, countsLosses: false }
    }
    // A sample is worth one call: a second one would compare nothing but luck.
    const route = singleTargetRoute(mirrors.targetOf(model) ?? here, 'always')
    return { route, retries: 0, maxAttempts: 1, mayShareCall: false, countsLosses: true }
  }

  return (claim: Claim, interrupt: Interrupt, stream: StreamWriter | null = null): Execution => {
    const here: RouteTarget = { route: claim.model, ...claim.target }
    const { route, retries, maxAttempts, mayShareCall, countsLosses } = termsOf(claim, here)
    const known = route.targets.find(t => t.provider === here.provider && t.model === here.model)
    const request = requestOf(claim.endpoint, claim.body, claim.headers)
    const eligible = targetsFor(atAccount(route, claim.home), providers, request)
    const isLast = isLastResort(route, eligible)
    return {
      claim,
      targets: lastResortsLast(order(route, eligible.targets, request, claim.id), isLast),
      current: known ?? here,
      adjusted: eligible.adjusted,
      isLastResort: isLast,
      exactUntilMs: exactUntilOf(claim, now()),
      refusalHandsOver: route.refusalHandsOver,
      patienceMs: patienceOf(claim, route.patienceMs, now()),
      limits: { backoffOf, retries, maxAttempts },
      interrupt,
      attempts: [...claim.attempts],
      recorded: claim.attempts.length,
      attemptsSpent: claim.attemptsSpent + (countsLosses ? lossesOf(claim.attempts) : 0),
      mayShareCall,
      lastResponse: null,
      beside: undefined,
      stream,
    }
  }
}
