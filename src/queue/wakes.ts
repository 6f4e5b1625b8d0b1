import { type WakeParkedDeps, wakeParked } from './wake-parked.ts'

/** Wakes the jobs that are parked for a provider, a part of them at a time. */
export interface Wakes {
  /**
   * Goes on as long as it is called, with the names of what no longer keeps jobs from their provider; none begins anew with the
   * next ones. Answers how many jobs it has rung.
   */
  next(lifted: Iterable<string>): Promise<number>
}

export interface WakesOptions extends WakeParkedDeps {
  readonly provider: string
  readonly canBeAsked: NonNullable<Parameters<typeof wakeParked>[2]>
  /** One process is enough for it. */
  readonly hasTurn: () => Promise<boolean>
}

/** Of each call: so many jobs, and pages of the schedule, which stand for some milliseconds of Redis each. */
const wokenAtOnce = 1_000
const pagesAtOnce = 20
/** Between the first two passes; twice as long each time after. */
const firstPauseMs = 2_000

/**
 * One pass wakes all that may go on, as far as is known. Others follow at growing distances: a worker that has not heard yet may
 * have parked some again, a circuit was open, or the process that had the turn has died. So a job is rung eight times in five
 * minutes at most, whoever parks it again for whatever reason.
 */
export const createWakes = ({ provider, canBeAsked, hasTurn, ...parts }: WakesOptions): Wakes => {
  const { now } = parts
  let known: ReadonlySet<string> = new Set()
  let pass: AsyncGenerator<number, void> | null = null
  let [dueAtMs, pauseMs] = [0, firstPauseMs]

  /** Those that have not the turn keep the same distances, so that they do not all follow one after the other. */
  const isDue = (): boolean => {
    if (now() < dueAtMs) return false
    dueAtMs = now() + pauseMs
    pauseMs *= 2
    return true
  }

  const goOn = async (under: AsyncGenerator<number, void>): Promise<number> => {
    let woken = 0
    for (let pages = 0; pages < pagesAtOnce && woken < wokenAtOnce; pages++) {
      const { value, done } = await under.next()
      if (done) {
        pass = null
        break
      }
      woken += value
    }
    return woken
  }

  return {
    next: async lifted => {
      const names = new Set(lifted)
      if (!names.isSubsetOf(known)) [dueAtMs, pauseMs] = [0, firstPauseMs]
      known = names
      if (names.size === 0) pass = null
      if (names.size === 0 || (pass === null && !isDue())) return 0
      if (!(await hasTurn())) pass = null
      else pass ??= wakeParked(parts, provider, canBeAsked)
      return pass === null ? 0 : goOn(pass)
    },
  }
}
