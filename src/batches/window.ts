/** What a batch's lines have cost so far, and how many of them are under way. */
interface Spending {
  /** The cost of the collected lines, in the unit of the limit. */
  readonly cost: number
  /** Collected lines that were jobs. */
  readonly ended: number
  /** Jobs that are not collected: what they will cost is guessed by the mean of those that ended. */
  readonly open: number
}

/** Before anything is known of what a line costs. */
const firstLines = 4

/**
 * How many more lines may become jobs, so that they, those under way and those that ended stay within the
 * limit; 0 to wait until more is known. `spent`: nothing is under way, and one more line would pass the
 * limit. At first lines go out a few at a time, twice as many with each round, because the first answers show
 * what a line costs.
 */
export const linesWithin = (limit: number | null, { cost, ended, open }: Spending): number | 'spent' => {
  if (limit === null) return Number.POSITIVE_INFINITY
  const pace = Math.max(0, Math.max(firstLines, 2 * ended) - open)
  if (cost === 0) return pace
  const mean = cost / ended
  // A quotient of fractions may miss a whole number by a hair.
  const affordable = Math.floor((limit - cost) / mean - open + 1e-6)
  if (affordable < 1 && open === 0) return 'spent'
  return Math.max(0, Math.min(pace, affordable))
}
/** Bounds of what one batch may have in Redis at once. */
export interface WindowLimits {
  readonly jobs: number
  /** Bytes of requests; answers not yet collected are held to the same. */
  readonly bytes: number
}

/**
 * How many jobs of a batch may be on their way. Small enough that a later client, with a small batch say,
 * does not wait long behind them; large enough that no worker is idle. The measure is how long jobs wait for
 * a worker: the rate alone would mislead, because slow calls need many jobs at a low rate.
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
/** The weight of each new answer in their mean size. */
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
