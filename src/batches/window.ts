/** Bounds of what one batch may have in Redis at once. */
export interface WindowLimits {
  readonly jobs: number
  /** Bytes of requests; answers not yet collected are held to the same. */
  readonly bytes: number
}

/**
 * How many jobs of a batch may be on their way. Small enough that one who comes later, with a small batch say, does not wait
 * long behind them; large enough that no worker is idle. What tells is how long jobs wait for a worker: the rate alone
 * would not, for slow calls need many jobs at a low rate.
 */
export interface Window {
  /** Jobs that may wait for a worker or be with one. */
  readonly jobs: number
  /** Lines that may be fed and not collected. */
  readonly uncollected: number
  /** Tells of a collected job: how long it waited for its worker, null when it never had one, and its answer's size. */
  note(waitedMs: number | null, answerBytes: number): void
}

/** What a job waits at the equilibrium, and with it one that arrives later. */
const targetWaitMs = 400
const startJobs = 500
/** Enough for a few workers to go on while the next are fed. */
const leastJobs = 100
/** By how much the window follows each job: feeding is at most half as fast again as the workers, and at least half as fast. */
const stride = 0.5
/** Of the mean size of answers: the weight of each new one. */
const weight = 0.01

export const createWindow = (limits: WindowLimits): Window => {
  let jobs = Math.min(startJobs, limits.jobs)
  let meanBytes = 0
  const least = Math.min(leastJobs, limits.jobs)
  return {
    get jobs() {
      return Math.floor(jobs)
    },
    get uncollected() {
      const byBytes = meanBytes > 0 ? Math.floor(limits.bytes / meanBytes) : limits.jobs
      return Math.max(1, Math.min(limits.jobs, byBytes))
    },
    note: (waitedMs, answerBytes) => {
      meanBytes += (answerBytes - meanBytes) * weight
      if (waitedMs === null) return
      jobs = Math.min(limits.jobs, Math.max(least, jobs + (waitedMs < targetWaitMs ? stride : -stride)))
    },
  }
}
