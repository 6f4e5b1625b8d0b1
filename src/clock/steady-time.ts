/** One look at another clock: it showed `toldMs` at some moment between two of our own. */
export interface Look {
  readonly askedAtMs: number
  readonly answeredAtMs: number
  readonly toldMs: number
}

/** A correction back by no more than this is waited out: time stands still for as long, rather than go back. */
const longestStillMs = 1_000

/**
 * The time of another clock, carried on by our own, which has to be monotonic so that steps of the host's
 * clock do nothing. A look gives a range: the time that we have is kept while it lies within, else moved to
 * the nearer end. So a look that took long changes little, and one that took a minute nothing.
 */
export interface SteadyTime {
  now(): number
  /** Gives by how many ms the time was moved. */
  correct(look: Look): number
}

export const createSteadyTime = (first: Look, monotonicMs: () => number): SteadyTime => {
  let offsetMs = first.toldMs - (first.askedAtMs + first.answeredAtMs) / 2
  let lastMs = 0

  return {
    now: () => {
      const nowMs = Math.floor(monotonicMs() + offsetMs)
      if (nowMs > lastMs || lastMs - nowMs > longestStillMs) lastMs = nowMs
      return lastMs
    },
    correct: ({ askedAtMs, answeredAtMs, toldMs }) => {
      const beforeMs = offsetMs
      offsetMs = Math.min(Math.max(offsetMs, toldMs - answeredAtMs), toldMs - askedAtMs)
      return offsetMs - beforeMs
    },
  }
}
