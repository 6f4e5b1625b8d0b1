/** What the number of a provider's worker processes is reckoned from. */
export interface WorkFacts {
  /** Jobs that wait in its queue, and as many of those that are parked for it or pass it over as a worker more would serve. */
  readonly waiting: number
  readonly running: number
  /** Calls at once that one worker has places for. */
  readonly places: number
  /** Calls at once that the provider's limits can use, with all keys; null: no limit is known. */
  readonly usableCalls: number | null
  /** No call would be made now: it is down, throttled, paused or stopped. */
  readonly isAway: boolean
  /** An operator paused it: not even a probe is made. */
  readonly isPaused: boolean
}

export const scalingBounds = ['nothing_to_do', 'work', 'limits', 'away', 'paused'] as const
export type ScalingBound = (typeof scalingBounds)[number]

export interface WorkersWanted {
  readonly workers: number
  /** What there would be more of without it. */
  readonly boundBy: ScalingBound
}

/**
 * As many as it takes to have all of the work under way at once, but no more than the limits can use: another worker would only wait.
 * While the provider is away one is enough: somebody has to make the probe that finds it back. Calls under way keep the workers
 * that they need.
 */
export const workersWanted = (facts: WorkFacts): WorkersWanted => {
  const { waiting, running, places, usableCalls, isAway, isPaused } = facts
  const forCalls = (calls: number): number => Math.ceil(calls / Math.max(1, places))
  const busy = forCalls(running)
  if (waiting + running === 0) return { workers: 0, boundBy: 'nothing_to_do' }
  if (isPaused) return { workers: busy, boundBy: 'paused' }
  if (isAway) return { workers: Math.max(busy, 1), boundBy: 'away' }
  const byWork = forCalls(waiting + running)
  const byLimits = usableCalls === null ? Number.POSITIVE_INFINITY : Math.max(1, forCalls(usableCalls))
  return byLimits < byWork
    ? { workers: Math.max(busy, byLimits), boundBy: 'limits' }
    : { workers: byWork, boundBy: 'work' }
}

/** Limits of one key, or of one model with one key; null where not known. */
export interface UsableLimits {
  readonly rpm: number | null
  readonly concurrency: number | null
}

/**
 * Calls at once that limits can use: a rate keeps as many calls busy as begin in the time that one takes. `keys`: how many have
 * these limits each.
 */
export const usableCallsOf = (
  { rpm, concurrency }: UsableLimits,
  secondsACall: number,
  keys: number,
): number | null => {
  const byRate = rpm === null ? null : Math.ceil((rpm / 60) * secondsACall)
  const known = [byRate, concurrency].filter(limit => limit !== null)
  return known.length === 0 ? null : Math.min(...known) * keys
}
