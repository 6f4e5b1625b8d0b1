import { type Pace, paceOf, type ReportedLimits } from '../domain/rate-limit-headers.ts'
import type { LeaseRequest } from './limit-store.ts'

/** What the provider's answers reported since the last lease, to be sent with the next. */
export type Observed = Pick<
  LeaseRequest,
  'throttled' | 'turnedAway' | 'overloaded' | 'blockMs' | 'told' | 'pace' | 'tokenPace'
>

/** Gathers what answers reported, until the limiter sends it with a lease. */
export interface Observations {
  readonly isAny: boolean
  /** Whether others have told of something new. */
  readonly isNews: boolean
  /** Whether the limits were new enough to be sent: unchanged ones are repeated only now and then. */
  observe(told: ReportedLimits, nowMs: number): boolean
  /** A call that began in that epoch was turned away, for so long. */
  throttled(epoch: number, forMs: number): void
  overloaded(epoch: number): void
  /** Others have observed: a lease will bring it. */
  ofOthers(): void
  /** Takes what there is. */
  take(): Observed
}

const hearAgainMs = 5_000
const none: Observed = { throttled: -1, turnedAway: 0, overloaded: false, blockMs: 0 }

/** `paceAgainMs`: how often a pace, which changes with every answer, is sent again. */
export const createObservations = (paceAgainMs: number): Observations => {
  let observed = none
  let isAny = false
  let isNews = false
  let heardAtMs = Number.NEGATIVE_INFINITY
  let heard = ''

  const add = (more: Partial<Observed>): void => {
    observed = { ...observed, ...more }
    isAny = true
  }
  const isOld = (limits: string, again: Pace | null | undefined, nowMs: number): boolean =>
    limits === heard && nowMs - heardAtMs < (again ? paceAgainMs : hearAgainMs)

  return {
    get isAny() {
      return isAny
    },
    observe: ({ requests, tokens }, nowMs) => {
      const pace = requests && paceOf(requests)
      const tokenPace = tokens && paceOf(tokens)
      const limits = `${requests?.perMinute} ${tokens?.perMinute}`
      if (isOld(limits, pace ?? tokenPace, nowMs)) return false
      heard = limits
      heardAtMs = nowMs
      const told = {
        requests: requests?.perMinute,
        tokens: tokens?.perMinute,
        remaining: requests?.remaining ?? undefined,
        remainingTokens: tokens?.remaining ?? undefined,
      }
      add({ told, ...(pace && { pace }), ...(tokenPace && { tokenPace }) })
      return true
    },
    throttled: (epoch, forMs) =>
      add({
        throttled: Math.max(observed.throttled, epoch),
        turnedAway: observed.turnedAway + 1,
        blockMs: Math.max(observed.blockMs, forMs),
      }),
    overloaded: epoch => add({ throttled: Math.max(observed.throttled, epoch), overloaded: true }),
    ofOthers: () => {
      isNews = true
      add({})
    },
    get isNews() {
      return isNews
    },
    take: () => {
      const taken = observed
      observed = none
      isAny = false
      isNews = false
      return taken
    },
  }
}

/** Calls of the last while are expected to come again in the next. */
const whileMs = 500

/** How many calls are expected in half a second, by how many there were. Times are steady ms. */
interface CallRate {
  note(nowMs: number): void
  expected(nowMs: number): number
}

export const createCallRate = (): CallRate => {
  let fromMs = 0
  let calls = 0
  let before = 0

  const expected = (nowMs: number): number => {
    const age = nowMs - fromMs
    if (age >= whileMs) {
      before = age >= 2 * whileMs ? 0 : calls
      calls = 0
      fromMs = nowMs
    }
    return Math.max(before, calls)
  }

  return {
    note: nowMs => {
      expected(nowMs)
      calls += 1
    },
    expected,
  }
}
