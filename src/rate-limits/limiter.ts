import type { Logger } from 'pino'
import type { ReportedLimits } from '../domain/rate-limit-headers.ts'
import { createLeasedBudget, type LeasedBudget } from './leased-budget.ts'
import type { Lease, LeaseParts, LeaseRequest, LimitStore } from './limit-store.ts'
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
  /** A call was not made after all. */
  undone(): void
  /** `spent`: tokens beyond the estimate. `tookMs`: null for a call that brought no answer. */
  ended(spent: number, tookMs: number | null): void
  observe(told: ReportedLimits): void
  /** The provider throttled a call that began in that epoch, and asked to be left alone. */
  throttled(epoch: number, forMs: number): void
  /** The provider had too much to do for a call that began in that epoch. */
  overloaded(epoch: number): void
  /** Calls at once that this process may count on, of the ceiling that was found; null where none is. */
  readonly places: number | null
  /** Others have observations of it. */
  refresh(): void
  stop(): Promise<void>
}

export type LimiterTerms = Pick<
  LeaseRequest,
  'learns' | 'rpm' | 'tpm' | 'concurrency' | 'belowRpm' | 'belowTpm' | 'first' | 'most'
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
  /** Calls under way that may never be answered; while the calls at once are found out, they do not count. */
  readonly outlived: () => number
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

/** From this ceiling on a process keeps a place in hand for a lone call; below, it would take it from others. */
const manyPlaces = 16
/** What this process did since its last report. */
const nothingSince = { spent: 0, begun: 0, ok: 0, tookMs: 0, peak: 0 }

const nothingWanted: Demand = { waiting: 0, tokens: 0, leastTokens: 0 }

export const createLimiter = (parts: LimiterDeps): Limiter => {
  const { name, terms, store, instance, clock, untracked, changed, log } = parts
  const budget = createLeasedBudget(terms.first === undefined ? undefined : parts.outlived)
  const observations = createObservations(gapMs)
  const rate = createCallRate()
  const isConfigured = [terms.rpm, terms.tpm, terms.belowRpm, terms.belowTpm].some(
    limit => limit !== undefined,
  )
  let demand = nothingWanted
  let epoch = 0
  let last: Lease | null = null
  let since = nothingSince
  let asking: Promise<void> | null = null
  let timer: NodeJS.Timeout | null = null
  let timerAtMs = 0
  let askedAtMs = Number.NEGATIVE_INFINITY
  let refusedUntilMs = 0
  let usedAtMs = Number.NEGATIVE_INFINITY
  let stopped = false

  const slotsWanted = (nowMs: number): Pick<LeaseRequest, 'slots' | 'spareSlots'> => {
    const inHand = budget.slots(nowMs)
    const slots = Math.max(0, demand.waiting - inHand)
    // Twice of what waits: demand that grows is met after a few leases.
    const ahead = Math.max(0, 2 * demand.waiting + rate.expected(nowMs) - inHand)
    return { slots, spareSlots: ahead - slots }
  }
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
    if (since.spent !== 0 || (budget.isShared && isUsed)) return beat
    return budget.isLimited && demand.waiting > 0 ? beat : null
  }

  const spareOf = (nowMs: number): number => {
    const expected = budget.calling > 0 ? Math.min(rate.expected(nowMs), budget.calling) : 0
    return Math.max(demand.waiting + expected, (last?.ceiling ?? 0) >= manyPlaces ? 1 : 0)
  }

  const requestOf = (nowMs: number, observed: Observed): LeaseRequest => ({
    ...terms,
    ...slotsWanted(nowMs),
    tokens: budget.countsTokens ? Math.ceil(tokensWanted(nowMs)) : 0,
    leastTokens: demand.leastTokens,
    calling: budget.sharing + untracked(),
    waiting: demand.waiting,
    spare: spareOf(nowMs),
    isTold: isConfigured || observed.told !== undefined || isToldIn(last),
    isRated: last?.isRated ?? false,
    ...since,
    ...observed,
  })

  /** What limits nothing is asked again only when there is something new. */
  const partsOf = ({ told, pace, tokenPace }: Observed, isNews: boolean): LeaseParts => {
    const all = last === null || isNews || told !== undefined
    return {
      requests:
        all || terms.rpm !== undefined || pace !== undefined || budget.countsRequests || last!.isRated,
      tokens: all || terms.tpm !== undefined || tokenPace !== undefined || budget.countsTokens,
    }
  }

  const ask = async (): Promise<void> => {
    const sentAtMs = clock()
    askedAtMs = sentAtMs
    const { isNews } = observations
    const observed = observations.take()
    const request = requestOf(sentAtMs, observed)
    since = nothingSince
    try {
      const lease = await store.lease(name, instance, request, partsOf(observed, isNews))
      epoch = lease.epoch
      last = lease
      budget.fill(lease, request, sentAtMs, clock())
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
      since = { ...since, begun: since.begun + 1, peak: Math.max(since.peak, budget.calling) }
      rate.note(usedAtMs)
      arm()
    },
    undone: () => {
      since = { ...since, begun: since.begun - 1 }
    },
    ended: (more, tookMs) => {
      since = {
        ...since,
        spent: since.spent + more,
        ok: since.ok + (tookMs === null ? 0 : 1),
        tookMs: since.tookMs + (tookMs ?? 0),
        // What ends now was under way until now.
        peak: Math.max(since.peak, budget.calling + 1),
      }
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
    overloaded: begunIn => {
      observations.overloaded(begunIn)
      arm()
    },
    get places() {
      return last?.ceiling === undefined ? null : Math.ceil(last.ceiling / last.active)
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

/** Whether a limit of the provider's own, or of the config, held by this lease. */
const isToldIn = (lease: Lease | null): boolean =>
  lease !== null &&
  ((lease.by !== undefined && lease.by !== 'learned_rate') || lease.nextTokensMs !== undefined)
