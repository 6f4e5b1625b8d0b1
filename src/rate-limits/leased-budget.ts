import type { Lease, LeaseRequest } from './limit-store.ts'

/** What a process has leased of one limiter. Times are those of its own steady clock, in ms. */
export interface LeasedBudget {
  /**
   * Ms until a call with so many tokens may be made; 0 for now. As far as is known: an estimate while nothing
   * is leased.
   */
  waitMs(tokens: number, nowMs: number): number
  /** Takes what a call needs; only after `waitMs` said 0. */
  take(tokens: number): void
  /** A call ended, or was not made after all: then its slot and its tokens are there again. */
  leave(unused: { readonly slotAtMs: number; readonly tokens: number } | null): void
  fill(lease: Lease, asked: Asked, sentAtMs: number, nowMs: number): void
  readonly calling: number
  /** Of these, those that take part of a share of calls at once. */
  readonly sharing: number
  /** Calls that may still be made of what is leased, each at its own time. */
  spare(nowMs: number): number
  /** Calls for which there are slots; Infinity where requests are not limited. */
  slots(nowMs: number): number
  readonly tokens: number
  /** What one call took last; 0 before any did. */
  readonly usualTokens: number
  /** Whether a share of the calls at once has to be renewed. */
  readonly isShared: boolean
  /** Whether the last lease brought less than was asked for: more has to wait. */
  readonly isShort: boolean
  /** Whether all of the share is under way. */
  readonly isFull: boolean
  /** Whether the calls at once are still being found out, and no 429 has limited them. */
  readonly isStarting: boolean
  readonly isLimited: boolean
  readonly countsRequests: boolean
  readonly countsTokens: boolean
  blockedMs(nowMs: number): number
}

type Asked = Pick<LeaseRequest, 'slots' | 'leastTokens' | 'calling' | 'waiting'>

/** A slot that is used late makes calls come closely together. */
const slotLifeMs = 500
const tokenLifeMs = 2_000
/** Redis forgets a share after 5 s; by then it is no longer used here. */
const shareLifeMs = 4_000
/** A reply this late grants slots whose time has passed: the process was frozen, or Redis was. */
const lateMs = 2_000
/** As many jobs may come while nothing is known yet. */
const unknownSpare = 16
/** Before the first reply, and where others hold all calls at once. */
export const soonMs = 20

interface Credit {
  tokens: number
  readonly fromMs: number
}

/**
 * `outlived`: calls under way from before the target went out of order, which it may never answer. While the calls at once are
 * still being found out, they take no part of a share: else they would hold all of a small one until their timeouts.
 */
export const createLeasedBudget = (outlived: () => number = () => 0): LeasedBudget => {
  let slots: number[] = []
  let credits: Credit[] = []
  let calling = 0
  let isFilled = false
  let limitsRequests = false
  let limitsTokens = false
  let share: number | null = null
  let isStarting = false
  let isShort = false
  let shareUntilMs = 0
  let nextAtMs = 0
  let nextTokensAtMs = 0
  let blockedUntilMs = 0

  const sharing = (): number => (isStarting ? Math.max(0, calling - outlived()) : calling)

  const clean = (nowMs: number): void => {
    while (slots.length > 0 && slots[0]! + slotLifeMs < nowMs) slots.shift()
    while (credits.length > 0 && credits[0]!.fromMs + tokenLifeMs < nowMs) credits.shift()
  }
  /** The tokens of the last call, as an estimate for the next one. */
  let usualTokens = 0

  const credit = (): number => credits.reduce((sum, { tokens }) => sum + tokens, 0)

  const slotWaitMs = (nowMs: number): number => {
    if (!limitsRequests) return 0
    return slots.length > 0 ? slots[0]! - nowMs : Math.max(soonMs, nextAtMs - nowMs)
  }
  const tokenWaitMs = (tokens: number, nowMs: number): number => {
    if (!limitsTokens) return 0
    let sum = 0
    for (const { tokens: some, fromMs } of credits) {
      sum += some
      if (sum >= tokens) return fromMs - nowMs
    }
    return Math.max(soonMs, nextTokensAtMs - nowMs)
  }
  const shareWaitMs = (nowMs: number): number =>
    share === null || (sharing() < share && nowMs < shareUntilMs) ? 0 : soonMs

  const spend = (tokens: number): void => {
    let owed = tokens
    while (owed > 0 && credits.length > 0) {
      const first = credits[0]!
      const part = Math.min(owed, first.tokens)
      first.tokens -= part
      owed -= part
      if (first.tokens <= 0) credits.shift()
    }
  }

  return {
    waitMs: (tokens, nowMs) => {
      if (!isFilled) return soonMs
      clean(nowMs)
      const waits = [
        slotWaitMs(nowMs),
        tokenWaitMs(tokens, nowMs),
        shareWaitMs(nowMs),
        blockedUntilMs - nowMs,
      ]
      return Math.max(0, ...waits)
    },
    take: tokens => {
      slots.shift()
      if (tokens > 0) usualTokens = tokens
      spend(tokens)
      calling += 1
    },
    leave: unused => {
      calling -= 1
      if (!unused) return
      if (limitsRequests) slots.unshift(unused.slotAtMs)
      if (limitsTokens) credits.unshift({ tokens: unused.tokens, fromMs: unused.slotAtMs })
    },
    fill: (lease, asked, sentAtMs, nowMs) => {
      isFilled = true
      limitsRequests = lease.everyMs !== undefined
      limitsTokens = lease.nextTokensMs !== undefined
      share = lease.share ?? null
      isStarting = lease.isStarting ?? false
      isShort =
        lease.blockedMs > 0 ||
        (limitsRequests && (lease.atOnce ?? 0) + (lease.slots ?? 0) < asked.slots) ||
        (limitsTokens && asked.leastTokens > 0 && lease.tokens === undefined) ||
        (share !== null && share < asked.calling + asked.waiting)
      shareUntilMs = sentAtMs + shareLifeMs
      nextAtMs = nowMs + (lease.nextMs ?? 0)
      nextTokensAtMs = nowMs + (lease.nextTokensMs ?? 0)
      blockedUntilMs = lease.blockedMs > 0 ? nowMs + lease.blockedMs : 0
      if (!limitsRequests) slots = []
      // What had its time meanwhile would go out at once afterwards.
      slots = slots.filter(atMs => atMs >= blockedUntilMs)
      if (!limitsTokens) credits = []
      if (nowMs - sentAtMs > lateMs) return
      for (let i = 0; i < (lease.atOnce ?? 0); i++) slots.push(nowMs)
      for (let i = 0; i < (lease.slots ?? 0); i++) {
        slots.push(nowMs + Math.max(0, lease.firstMs! + i * lease.everyMs!))
      }
      if (lease.tokens) credits.push({ tokens: lease.tokens, fromMs: nowMs + lease.tokensMs! })
    },
    get calling() {
      return calling
    },
    get sharing() {
      return sharing()
    },
    spare: nowMs => {
      if (!isFilled) return unknownSpare
      clean(nowMs)
      const most = Number.POSITIVE_INFINITY
      return Math.max(
        0,
        Math.min(
          share === null ? most : share - sharing(),
          limitsRequests ? slots.length : most,
          limitsTokens ? Math.floor(credit() / Math.max(1, usualTokens)) : most,
        ),
      )
    },
    slots: nowMs => {
      clean(nowMs)
      return limitsRequests || !isFilled ? slots.length : Number.POSITIVE_INFINITY
    },
    get tokens() {
      return credit()
    },
    get usualTokens() {
      return usualTokens
    },
    get isShared() {
      return share !== null
    },
    get isShort() {
      return isShort
    },
    get isFull() {
      return share !== null && sharing() >= share
    },
    get isStarting() {
      return isStarting
    },
    get isLimited() {
      return !isFilled || limitsRequests || limitsTokens || share !== null || blockedUntilMs > 0
    },
    get countsRequests() {
      return limitsRequests
    },
    get countsTokens() {
      return limitsTokens
    },
    blockedMs: nowMs => Math.max(0, blockedUntilMs - nowMs),
  }
}
