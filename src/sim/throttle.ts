import type { ThrottleLimits } from './behaviour.ts'

/** One limit as a provider reports it: per minute, what is left now, and when all of it is back. */
export interface RateLimit {
  readonly limit: number
  readonly remaining: number
  readonly resetMs: number
}

interface TokenBucket {
  /** Milliseconds until `cost` is there; 0 when it is now. */
  waitMs(cost: number, nowMs: number): number
  take(cost: number, nowMs: number): void
  level(nowMs: number): RateLimit
}

interface BucketSize {
  readonly perMinute: number
  readonly capacity: number
}

function createTokenBucket({ perMinute, capacity }: BucketSize, startMs: number): TokenBucket {
  const perMs = perMinute / 60_000
  let tokens = capacity
  let filledAtMs = startMs

  function fill(nowMs: number): void {
    tokens = Math.min(capacity, tokens + Math.max(0, nowMs - filledAtMs) * perMs)
    filledAtMs = nowMs
  }

  return {
    waitMs(cost, nowMs) {
      fill(nowMs)
      // Above the capacity is served from a full bucket, which then owes the rest: it could never fit
      // otherwise.
      return Math.max(0, Math.min(cost, capacity) - tokens) / perMs
    },
    take(cost, nowMs) {
      fill(nowMs)
      tokens -= cost
    },
    level(nowMs) {
      fill(nowMs)
      const remaining = Math.max(0, Math.floor(tokens))
      return { limit: perMinute, remaining, resetMs: (capacity - tokens) / perMs }
    },
  }
}

export interface RateLimits {
  readonly requests: RateLimit | null
  readonly tokens: RateLimit | null
  /** What headers say: the limits and what is left, only what is left, or nothing. */
  readonly told: 'all' | 'left' | 'nothing'
}

/** Why a call was turned away, and for how long. */
export interface Denial {
  readonly scope: 'requests' | 'tokens' | 'at once'
  readonly requested: number
  readonly waitMs: number
  /**
   * Told in milliseconds too, as Azure does: a script may ask for waits that whole seconds are too coarse
   * for.
   */
  readonly exact: boolean
}

export interface Admission {
  readonly limits: RateLimits
  readonly denial: Denial | null
}

export interface Throttle {
  admit(tokens: number, nowMs: number): Admission
  /** A call that was let in has come to its end. */
  leave(): void
}

/** When a place falls free cannot be known: providers that bound calls in flight say a second, or nothing. */
const crowdedWaitMs = 1_000

/** Two buckets and a number of places; a call needs room in all. One that is turned away takes from neither. */
export function createThrottle(limits: ThrottleLimits, startMs: number): Throttle {
  const rpm = limits.rpm ?? (limits.rps === undefined ? undefined : limits.rps * 60)
  const tpm = limits.tokensPerMinute
  const told = limits.silent ? ('nothing' as const) : ('all' as const)
  const burst = limits.burst ?? Math.max(1, Math.floor((rpm ?? 0) / 60))
  const requests = rpm === undefined ? null : createTokenBucket({ perMinute: rpm, capacity: burst }, startMs)
  const tokens = tpm === undefined ? null : createTokenBucket({ perMinute: tpm, capacity: tpm }, startMs)

  let inside = 0

  function deny(cost: number, nowMs: number): Denial | null {
    if (limits.atOnce !== undefined && inside >= limits.atOnce)
      return { scope: 'at once', requested: 1, waitMs: crowdedWaitMs, exact: false }
    const requestWaitMs = requests?.waitMs(1, nowMs) ?? 0
    if (requestWaitMs > 0) return { scope: 'requests', requested: 1, waitMs: requestWaitMs, exact: false }
    const tokenWaitMs = tokens?.waitMs(cost, nowMs) ?? 0
    return tokenWaitMs > 0 ? { scope: 'tokens', requested: cost, waitMs: tokenWaitMs, exact: false } : null
  }

  return {
    admit(cost, nowMs) {
      const denial = deny(cost, nowMs)
      if (denial === null) {
        inside++
        requests?.take(1, nowMs)
        tokens?.take(cost, nowMs)
      }
      const now = { requests: requests?.level(nowMs) ?? null, tokens: tokens?.level(nowMs) ?? null, told }
      return { limits: now, denial }
    },
    leave() {
      inside--
    },
  }
}

/**
 * What a scripted 429 tells: a limit of 60 requests a minute, used up until `waitMs` from now. The limit
 * stands in its text alone: it is not that of the calls before and after, and clients obey what headers say.
 */
export function scriptedDenial(waitMs: number): { readonly limits: RateLimits; readonly denial: Denial } {
  const limits = {
    requests: { limit: 60, remaining: 0, resetMs: waitMs },
    tokens: null,
    told: 'left' as const,
  }
  return {
    limits,
    denial: { scope: 'requests', requested: 1, waitMs, exact: waitMs % 1_000 !== 0 || waitMs === 0 },
  }
}
