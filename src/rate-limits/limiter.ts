import type { Logger } from 'pino'
import type { ReportedLimits } from '../domain/rate-limit-headers.ts'
import { createLeasedBudget, type LeasedBudget } from './leased-budget.ts'
import type { LeaseRequest, LimitStore } from './limit-store.ts'
import { createCallRate, createObservations, type Observed } from './observations.ts'

/** What this process wants of a limiter now. */
export interface Demand {
  readonly waiting: number
  /** Estimated for those that wait, and for the first of them. */
  readonly tokens: number
  readonly leastTokens: number
}

/**
 * One process's part in the limit of a key, or of a model called with it: what it leased, and what it has to
 * report. It leases in the background, by demand; nothing is asked while there is neither demand nor
 * observations.
 */
export interface Limiter {
  readonly name: string
  readonly budget: LeasedBudget
  readonly epoch: number
  /** Sets what is wanted, and asks where it is not in hand. */
  request(demand: Demand): void
  took(): void
  /** `spent`: tokens beyond the estimate. */
  ended(spent: number, succeeded: boolean): void
  observe(told: ReportedLimits): void
  /** The provider throttled a call that began in that epoch, and asked to be left alone. */
  throttled(epoch: number, forMs: number): void
  /** Others have observations of it. */
  refresh(): void
  stop(): Promise<void>
}

export type LimiterTerms = Pick<
  LeaseRequest,
  'rpm' | 'tpm' | 'concurrency' | 'belowRpm' | 'belowTpm' | 'most'
>

export interface LimiterDeps {
  readonly name: string
  readonly terms: LimiterTerms
  readonly store: LimitStore
  /** Names this process. */
  readonly instance: string
  /** Steady ms. */
  readonly clock: () => number
  /** Calls under way that the budget does not count. */
  readonly untracked: () => number
  /** A lease has come. */
  readonly changed: () => void
  readonly log: Logger
}

const gapMs = 25
/**
 * Our own slots free up when our calls end; slots held by other processes are polled for at most this often.
 */
const fullGapMs = 100
/** How often a share is renewed, and observations are reported. */
const beatMs = 1_000
const refusedPauseMs = 500
/** Slots are granted this far ahead; see the script. */
const horizonMs = 1_000

const nothingWanted: Demand = { waiting: 0, tokens: 0, leastTokens: 0 }

export const createLimiter = (parts: LimiterDeps): Limiter => {
  const { name, terms, store, instance, clock, untracked, changed, log } = parts
  const budget = createLeasedBudget()
  const observations = createObservations(gapMs)
  const rate = createCallRate()
  let demand = nothingWanted
  let epoch = 0
  let spent = 0
  let succeeded = false
  let asking: Promise<void> | null = null
  let timer: NodeJS.Timeout | null = null
  let timerAtMs = 0
  let askedAtMs = Number.NEGATIVE_INFINITY
  let refusedUntilMs = 0
  let usedAtMs = Number.NEGATIVE_INFINITY
  let stopped = false

  /** Twice of what waits: demand that grows is met after a few leases. */
  const slotsWanted = (nowMs: number): number =>
    Math.max(0, 2 * demand.waiting + rate.expected(nowMs) - budget.slots(nowMs))
  const tokensWanted = (nowMs: number): number => {
    const ahead = (2 * demand.waiting + rate.expected(nowMs)) * budget.usualTokens
    return Math.max(0, Math.max(demand.tokens, ahead) - budget.tokens)
  }

  /** Ms until it is of use to ask; null while there is no reason. */
  const asksInMs = (nowMs: number): number | null => {
    const gap = Math.max(
      askedAtMs + (budget.isFull && !observations.isAny ? fullGapMs : gapMs) - nowMs,
      refusedUntilMs - nowMs,
      0,
    )
    if (observations.isAny) return gap
    const beat = Math.max(gap, askedAtMs + beatMs - nowMs)
    if (demand.waiting > 0 && demand.waiting > budget.spare(nowMs)) {
      const waitMs = budget.waitMs(demand.leastTokens, nowMs)
      return Math.min(Math.max(gap, waitMs - horizonMs), beat)
    }
    const isUsed = budget.calling > 0 || demand.waiting > 0 || nowMs - usedAtMs < beatMs
    if (spent !== 0 || (budget.isShared && isUsed)) return beat
    return budget.isLimited && demand.waiting > 0 ? beat : null
  }

  const requestOf = (nowMs: number): Omit<LeaseRequest, keyof Observed> => ({
    ...terms,
    slots: Math.ceil(slotsWanted(nowMs)),
    tokens: budget.countsTokens ? Math.ceil(tokensWanted(nowMs)) : 0,
    leastTokens: demand.leastTokens,
    calling: budget.calling + untracked(),
    waiting: demand.waiting,
    spare: demand.waiting + (budget.calling > 0 ? Math.min(rate.expected(nowMs), budget.calling) : 0),
    spent,
    succeeded,
  })

  const ask = async (): Promise<void> => {
    const sentAtMs = clock()
    askedAtMs = sentAtMs
    const request = { ...requestOf(sentAtMs), ...observations.take() }
    spent = 0
    succeeded = false
    try {
      const lease = await store.lease(name, instance, request)
      epoch = lease.epoch
      budget.fill(lease, sentAtMs, clock())
      changed()
    } catch (error) {
      // The observations are lost with it: they are advice, and the next answer brings them again. Nothing is
      // leased meanwhile.
      refusedUntilMs = clock() + refusedPauseMs
      log.debug({ event: 'rate_limits.lease_failed', err: error, meter: name }, 'rate limits not leased')
    }
  }

  const arm = (): void => {
    if (stopped || asking) return
    const nowMs = clock()
    const inMs = asksInMs(nowMs)
    if (inMs === null) return
    if (timer) {
      if (timerAtMs <= nowMs + inMs) return
      clearTimeout(timer)
    }
    timer = null
    // Beside the claim of the job that wants it: a turn later would be a round trip later.
    if (inMs <= 0) {
      begin()
      return
    }
    timerAtMs = nowMs + inMs
    timer = setTimeout(() => {
      timer = null
      // What it was armed for may have been met meanwhile.
      const againMs = asksInMs(clock())
      if (againMs !== null && againMs <= 1) begin()
      else arm()
    }, inMs)
  }

  const begin = (): void => {
    asking = ask().finally(() => {
      asking = null
      arm()
    })
  }

  return {
    name,
    budget,
    get epoch() {
      return epoch
    },
    request: wanted => {
      demand = wanted
      arm()
    },
    took: () => {
      usedAtMs = clock()
      rate.note(usedAtMs)
      arm()
    },
    ended: (more, ok) => {
      spent += more
      succeeded ||= ok
      usedAtMs = clock()
      arm()
    },
    observe: told => {
      if (observations.observe(told, clock())) arm()
    },
    throttled: (begunIn, forMs) => {
      observations.throttled(begunIn, forMs)
      arm()
    },
    refresh: () => {
      observations.ofOthers()
      arm()
    },
    stop: async () => {
      stopped = true
      if (timer) clearTimeout(timer)
      await asking
    },
  }
}
