/** One limit as a provider tells it: per minute, what is left now, and when all of it is back. */
export interface RateLimit {
  readonly limit: number
  readonly remaining: number
  readonly resetMs: number
}

export interface TokenBucket {
  /** Milliseconds until `cost` is there; 0 when it is now. */
  waitMs(cost: number, nowMs: number): number
  take(cost: number, nowMs: number): void
  level(nowMs: number): RateLimit
}

interface BucketSize {
  readonly perMinute: number
  readonly capacity: number
}

export function createTokenBucket({ perMinute, capacity }: BucketSize, startMs: number): TokenBucket {
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
      // Above the capacity is served from a full bucket, which then owes the rest: it could never fit otherwise.
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
