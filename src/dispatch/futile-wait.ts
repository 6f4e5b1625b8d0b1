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
 * Why it cannot: what a person must mend, else what it told this very job, which says more than that it is out of use since, else
 * what is known of it.
 */
const errorOf = ({ obstacle, attempts }: Prospect): LastError | null => {
  const known = obstacle?.error ?? null
  return (obstacle?.blocks ?? null) === null ? (lastErrorAmong(attempts) ?? known) : known
}

/** Nothing is known against one without room within its limits, which are a throttle of our own. */
const throttles = ({ obstacle, attempts }: Prospect): boolean =>
  obstacle === null ? (attempts.at(-1)?.verdict ?? 'rate_limited') === 'rate_limited' : obstacle.isThrottling

const failure = (code: JobErrorCode, errors: readonly LastError[], more: object = {}): JobError => ({
  code,
  message: [jobErrorCodes[code], ...errors.map(sayLastError)].join(' '),
  ...(errors[0] && { last_error: errors[0] }),
  ...more,
})

/** Words of so many targets: enough to see what is wrong. */
const mostTold = 3

/**
 * The end of a job that a connection waits for, where no target can serve it before its deadline; null where one may. What a
 * person must mend counts as never: nobody waits at a door for that, however often it is tried.
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
 * What a parked job waits for. Where all of its targets need a person it cannot go on before one has acted; else the target it
 * waits for tells.
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
  // Another target may serve it: it is not blocked, whatever keeps this one.
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
