/** A limit that a provider tells nowhere, as it is at the provider. Times are ms. */
export interface HiddenLimit {
  /** What it allows: requests a minute, or calls at once. */
  readonly allows: { readonly rpm: number } | { readonly atOnce: number }
  /** Whether a call is let in at that time, and if not, for how long it would have to wait. */
  admit(nowMs: number): { readonly waitMs: number } | null
  /** A call that was let in has ended. */
  leave(): void
}

const minuteMs = 60_000
const nothing = (): void => {}

/** Filled evenly; it begins full. */
export const tokenBucket = (rpm: number, capacity: number): HiddenLimit => {
  let tokens = capacity
  let filledAtMs = Number.POSITIVE_INFINITY
  return {
    allows: { rpm },
    admit: nowMs => {
      tokens = Math.min(capacity, tokens + (Math.max(0, nowMs - filledAtMs) * rpm) / minuteMs)
      filledAtMs = nowMs
      if (tokens < 1) return { waitMs: ((1 - tokens) * minuteMs) / rpm }
      tokens -= 1
      return null
    },
    leave: nothing,
  }
}

/** So many in each span of the clock. */
export const fixedWindow = (rpm: number, spanMs: number): HiddenLimit => {
  const most = (rpm * spanMs) / minuteMs
  let span = -1
  let used = 0
  return {
    allows: { rpm },
    admit: nowMs => {
      const now = Math.floor(nowMs / spanMs)
      if (now !== span) used = 0
      span = now
      if (used >= most) return { waitMs: (span + 1) * spanMs - nowMs }
      used += 1
      return null
    },
    leave: nothing,
  }
}

/** So many in any span: a log of those that were let in. */
export const slidingWindow = (rpm: number, spanMs: number): HiddenLimit => {
  const most = (rpm * spanMs) / minuteMs
  let log: number[] = []
  return {
    allows: { rpm },
    admit: nowMs => {
      if (log.length >= most) log = log.filter(atMs => atMs > nowMs - spanMs)
      if (log.length >= most) return { waitMs: log[0]! + spanMs - nowMs }
      log.push(nowMs)
      return null
    },
    leave: nothing,
  }
}

export const numberAtOnce = (atOnce: number): HiddenLimit => {
  let inside = 0
  return {
    allows: { atOnce },
    admit: () => {
      if (inside >= atOnce) return { waitMs: 1_000 }
      inside += 1
      return null
    },
    leave: () => {
      inside -= 1
    },
  }
}

export const unlimited = (): HiddenLimit => ({
  allows: { atOnce: Number.POSITIVE_INFINITY },
  admit: () => null,
  leave: nothing,
})
