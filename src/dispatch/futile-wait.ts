import {
  type Attempt,
  type JobError,
  type JobErrorCode,
  jobErrorCodes,
  type LastError,
} from '../domain/job.ts'
import { lastErrorAmong, sayLastError } from '../domain/job-failure.ts'
import type { Obstacle, ObstacleOf } from '../domain/obstacle.ts'
import type { RouteTarget } from '../domain/routing/chain.ts'
import { type RoutingLimits, type RoutingState, type Wait, waitsOf } from '../domain/routing/next-step.ts'
import type { Claim, JobResult } from '../jobs/types.ts'
import type { Execution } from './execution.ts'

/** A target that cannot be called now, as a job that waits for it sees it. */
interface Prospect extends Wait {
  readonly obstacle: Obstacle | null
  readonly attempts: readonly Attempt[]
}

/**
 * Why the target cannot serve: first what a person must mend; then its last answer to this job, which says
 * more than its state; then what is known of its state.
 */
const errorOf = ({ obstacle, attempts }: Prospect): LastError | null => {
  const known = obstacle?.error ?? null
  return (obstacle?.blocks ?? null) === null ? (lastErrorAmong(attempts) ?? known) : known
}

/** A target without an obstacle is one whose limits are used up: that is a throttle of our own. */
const throttles = ({ obstacle, attempts }: Prospect): boolean =>
  obstacle === null ? (attempts.at(-1)?.verdict ?? 'rate_limited') === 'rate_limited' : obstacle.isThrottling

const failure = (code: JobErrorCode, errors: readonly LastError[], more: object = {}): JobError => ({
  code,
  message: [jobErrorCodes[code], ...errors.map(sayLastError)].join(' '),
  ...(errors[0] && { last_error: errors[0] }),
  ...more,
})

/** How many targets' errors are quoted: enough to see what is wrong. */
const mostTold = 3

/**
 * The error of a job with an open connection, where no target can serve it before its deadline; null where
 * one may. What a person must mend counts as never: no connection should wait for that.
 */
export const futileWaitError = (
  waits: readonly Wait[],
  attempts: readonly Attempt[],
  obstacleOf: ObstacleOf,
  deadlineMs: number,
): JobError | null => {
  const isAt = ({ provider, model }: RouteTarget, attempt: Attempt): boolean =>
    attempt.provider === provider && attempt.model === model
  const prospects = waits.map(wait => ({
    ...wait,
    obstacle: obstacleOf(wait.target),
    attempts: attempts.filter(attempt => attempt.verdict !== null && isAt(wait.target, attempt)),
  }))
  const needsPerson = ({ obstacle }: Prospect): boolean => (obstacle?.blocks ?? null) !== null
  const isVain = (prospect: Prospect): boolean =>
    needsPerson(prospect) || prospect.obstacle?.isWithoutWorker === true || prospect.readyAtMs >= deadlineMs
  if (!prospects.every(isVain)) return null
  const first = prospects.toSorted((a, b) => Number(needsPerson(b)) - Number(needsPerson(a)))
  const errors = first.map(errorOf).filter(error => error !== null)
  if (!prospects.every(throttles)) return failure('targets_unavailable', errors.slice(0, mostTold))
  const retryAtMs = Math.min(...prospects.map(({ readyAtMs }) => readyAtMs))
  return failure('targets_throttled', errors.slice(0, mostTold), { retry_at: Math.ceil(retryAtMs / 1_000) })
}

/**
 * What a parked job waits for. Where all of its targets need a person, the job is blocked until one has
 * acted; otherwise the obstacle is that of the target it waits for.
 */
export const obstacleFor = (
  targets: readonly RouteTarget[],
  waitsFor: RouteTarget,
  obstacleOf: ObstacleOf,
): Obstacle | null => {
  const obstacles = targets.map(obstacleOf)
  if (obstacles.length > 0 && obstacles.every(obstacle => (obstacle?.blocks ?? null) !== null))
    return obstacles[0]!
  const own = obstacleOf(waitsFor)
  // Another target may serve the job, so it is not blocked.
  return own && { ...own, blocks: null }
}

/** The end of a claimed job whose connection would wait in vain; null of any other. */
export const endIfFutile = (
  { claim, limits }: Execution,
  walk: RoutingState,
  obstacleOf: ObstacleOf,
): VainEnd | null => futileWaitEnd(claim, walk, limits, obstacleOf)

type VainEnd = Omit<JobResult, 'attempts' | 'costUsd'>

export const futileWaitEnd = (
  job: Pick<Claim, 'class' | 'expiresAtMs'>,
  walk: RoutingState,
  limits: RoutingLimits,
  obstacleOf: ObstacleOf,
): VainEnd | null => {
  if (job.class !== 'interactive') return null
  const error = futileWaitError(waitsOf(walk, limits), walk.attempts, obstacleOf, job.expiresAtMs)
  // Its client is to come again with the same key, and then to be served.
  return error && { status: 'failed', response: null, error, refused: false, usage: null, freesKey: true }
}
