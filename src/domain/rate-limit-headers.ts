import { nowOfAnswer, parseReset } from './classify/retry-after.ts'

type Headers = Readonly<Record<string, string>>

/** One limit as a provider's answer reports it. */
export interface ReportedLimit {
  readonly perMinute: number
  /** What is left now; null when it does not say. */
  readonly remaining: number | null
  /** Until all of it is back, in ms; null when it does not say. */
  readonly resetMs: number | null
}

export interface ReportedLimits {
  readonly requests: ReportedLimit | null
  readonly tokens: ReportedLimit | null
}

/** A pace to keep for a while, so that what is left lasts until there is more. */
export interface Pace {
  readonly perMinute: number
  readonly forMs: number
}

interface HeaderNames {
  readonly limit: string
  readonly remaining: string
  readonly reset: string
}

const openAi = (name: string): HeaderNames => ({
  limit: `x-ratelimit-limit-${name}`,
  remaining: `x-ratelimit-remaining-${name}`,
  reset: `x-ratelimit-reset-${name}`,
})
const anthropic = (name: string): HeaderNames => ({
  limit: `anthropic-ratelimit-${name}-limit`,
  remaining: `anthropic-ratelimit-${name}-remaining`,
  reset: `anthropic-ratelimit-${name}-reset`,
})

/** Cerebras says in the name for how long a limit is. */
const requestHeaders = [openAi('requests'), anthropic('requests'), openAi('requests-minute')]
/** Anthropic's `tokens` reports the tightest of its limits on tokens. */
const tokenHeaders = [openAi('tokens'), anthropic('tokens'), openAi('tokens-minute')]

const minuteMs = 60_000
/** Anthropic rounds its resets up to whole seconds, and its clock is not ours. */
const resetSlackMs = 2_000
const dayMs = 86_400_000

/** The limits per minute that an answer reports; null when it reports none. */
export const parseRateLimitHeaders = (headers: Headers, nowMs: number): ReportedLimits | null => {
  const requests = read(headers, requestHeaders, nowMs)
  const tokens = read(headers, tokenHeaders, nowMs)
  return requests || tokens ? { requests, tokens } : null
}

const read = (headers: Headers, names: readonly HeaderNames[], nowMs: number): ReportedLimit | null => {
  for (const { limit, remaining, reset } of names) {
    const perMinute = count(headers[limit])
    // A limit of 0 does not apply to this account.
    if (perMinute === null || perMinute === 0) continue
    const left = count(headers[remaining])
    const resetMs = parseReset(headers[reset] ?? '', nowOfAnswer(headers, nowMs))
    if (isOfDay(perMinute, left, resetMs)) continue
    return { perMinute, remaining: left, resetMs: resetMs === null ? null : Math.max(0, resetMs) }
  }
  return null
}

/**
 * OpenAI's smaller accounts and Groq report requests per day under the same names. Such a limit is full again
 * only after more than a minute, or refills at a day's pace.
 */
const isOfDay = (limit: number, remaining: number | null, resetMs: number | null): boolean => {
  if (resetMs === null) return false
  if (resetMs > minuteMs + resetSlackMs) return true
  const used = limit - (remaining ?? limit)
  return used > 0 && Math.abs((resetMs * limit) / used / dayMs - 1) < 0.02
}

const count = (text: string | undefined): number | null =>
  text !== undefined && /^\d{1,12}$/.test(text.trim()) ? Number(text) : null

/**
 * Null while there is no need to slow down. A bucket that refills all the time yields its limit however
 * little is left in it. In a window that starts anew, or a limit shared with other clients, the rest must
 * last until the reset.
 */
export const paceOf = ({ perMinute, remaining, resetMs }: ReportedLimit): Pace | null => {
  if (remaining === null || resetMs === null || resetMs === 0) return null
  const isBucket = Math.abs(((perMinute - remaining) * minuteMs) / perMinute - resetMs) <= resetSlackMs / 2
  // One more, so that a call is made before the reset and reports when there is more.
  const pace = ((remaining + 1) * minuteMs) / resetMs
  return isBucket || pace >= perMinute ? null : { perMinute: pace, forMs: Math.min(resetMs, minuteMs) }
}
