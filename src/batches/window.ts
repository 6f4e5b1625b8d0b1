/** Bounds of what one batch may have in Redis beside the lines that workers have. */
export interface WindowLimits {
  readonly jobs: number
  /** Bytes of requests; answers not yet collected are held to the same. */
  readonly bytes: number
}

/** The lines that are fed and not collected. */
export interface Standing {
  readonly uncollected: number
  /** Those of them that are done. */
  readonly done: number
  /** Bytes of the requests of all. */
  readonly openBytes: number
  /** Those that workers have. */
  readonly running: { readonly lines: number; readonly bytes: number }
}

/** How much more may be fed. */
export interface WindowRoom {
  readonly lines: number
  readonly bytes: number
  /** A line larger than that may go alone. */
  readonly alone: boolean
}

/**
 * What bounds a batch in Redis: what waits (for a worker, or parked for its time), and what is done and not collected.
 * What workers have is bounded by their places, and in bytes so that large lines do not fill Redis.
 */
export interface Window {
  /** Lines that may be done and not collected. */
  readonly done: number
  room(standing: Standing): WindowRoom
  /** Tells of a collected job: its answer's size. */
  note(answerBytes: number): void
}

/** Requests, and answers, may take so many times `bytes` together with those that workers have. */
export const heavyFactor = 16
/** The weight of each new answer in their mean size. */
const weight = 0.01

export const createWindow = ({ jobs, bytes }: WindowLimits): Window => {
  let meanBytes = 0
  const answersIn = (most: number): number =>
    meanBytes > 0 ? Math.max(1, Math.floor(most / meanBytes)) : Number.POSITIVE_INFINITY
  const mostDone = (): number => Math.min(jobs, answersIn(bytes))
  return {
    get done() {
      return mostDone()
    },
    room: ({ uncollected, done, openBytes, running }) => {
      const standing = uncollected - running.lines
      const standingBytes = Math.max(0, openBytes - running.bytes)
      const lines =
        done >= mostDone() ? 0 : Math.min(jobs - standing, answersIn(bytes * heavyFactor) - uncollected)
      return {
        lines: Math.max(0, lines),
        bytes: Math.max(0, Math.min(bytes - standingBytes, bytes * heavyFactor - openBytes)),
        alone: standingBytes === 0 && (openBytes === 0 || openBytes < bytes * (heavyFactor - 1)),
      }
    },
    note: answerBytes => {
      meanBytes += (answerBytes - meanBytes) * weight
    },
  }
}
