type Headers = Readonly<Record<string, string>>

/**
 * No wait is believed beyond a day. A provider's clock, a unit mistaken by a proxy or a hostile header must
 * not shelve a target for good; asking again once a day costs one call, and a day is the default completion
 * window.
 */
export const longestWaitMs = 24 * 60 * 60 * 1000

/**
 * An answer's date has whole seconds, and is a little old when it is read: a smaller difference is ignored.
 */
const sameTimeMs = 2_000

/**
 * Now, in Unix ms, by the answering server's clock: times in its answer go by that clock, and ours may be a
 * minute off. It is our own time where the answer has no date, or about the same one.
 */
export const nowOfAnswer = (headers: Headers, nowMs: number): number => {
  const dateMs = parseHttpDate(headers.date ?? '')
  return dateMs === null || Math.abs(dateMs - nowMs) <= sameTimeMs ? nowMs : dateMs
}

/**
 * How long the provider asks to be left alone, in ms (0 to `longestWaitMs`), or null when it does not say.
 * `retry-after-ms` and `retry-after` win; else the latest reset among the limits that are used up.
 */
export const retryAfterMs = (headers: Headers, nowMs: number): number | null =>
  explicitRetryAfterMs(headers, nowMs) ?? resetMs(headers, nowMs)

/** Only `retry-after-ms` and `retry-after`. */
export function explicitRetryAfterMs(headers: Headers, nowMs: number): number | null {
  const ms = parseDecimal(headers['retry-after-ms'] ?? '')
  if (ms !== null) return boundedWait(ms)
  const text = headers['retry-after'] ?? ''
  const seconds = parseDecimal(text)
  if (seconds !== null) return boundedWait(seconds * 1000)
  const dateMs = parseHttpDate(text)
  return dateMs === null ? null : boundedWait(dateMs - nowMs)
}

/** Pairs of "what is left" and "when it is full again". */
const limits: readonly (readonly [remaining: string, reset: string])[] = [
  ['x-ratelimit-remaining-requests', 'x-ratelimit-reset-requests'],
  ['x-ratelimit-remaining-tokens', 'x-ratelimit-reset-tokens'],
  ['x-ratelimit-remaining-project-tokens', 'x-ratelimit-reset-project-tokens'],
  ['x-ratelimit-remaining', 'x-ratelimit-reset'], // OpenRouter
  // Cerebras
  ['x-ratelimit-remaining-requests-minute', 'x-ratelimit-reset-requests-minute'],
  ['x-ratelimit-remaining-tokens-minute', 'x-ratelimit-reset-tokens-minute'],
  ['x-ratelimit-remaining-requests-day', 'x-ratelimit-reset-requests-day'],
  ['anthropic-ratelimit-requests-remaining', 'anthropic-ratelimit-requests-reset'],
  ['anthropic-ratelimit-tokens-remaining', 'anthropic-ratelimit-tokens-reset'],
  ['anthropic-ratelimit-input-tokens-remaining', 'anthropic-ratelimit-input-tokens-reset'],
  ['anthropic-ratelimit-output-tokens-remaining', 'anthropic-ratelimit-output-tokens-reset'],
]

/** A limit with something left is not the one that was hit; one that does not say may be. */
function resetMs(headers: Headers, nowMs: number): number | null {
  const waits = limits
    .filter(([remaining]) => (parseDecimal(headers[remaining] ?? '0') ?? 0) <= 0)
    .map(([, reset]) => parseReset(headers[reset] ?? '', nowMs))
    .filter(wait => wait !== null)
  return waits.length === 0 ? null : boundedWait(Math.max(...waits))
}

/** A reset header as ms from now: a Go duration, RFC 3339, bare seconds, or Unix seconds or milliseconds. */
export function parseReset(text: string, nowMs: number): number | null {
  const number = parseDecimal(text)
  if (number === null) {
    const atMs = parseRfc3339(text)
    return atMs === null ? parseGoDuration(text) : atMs - nowMs
  }
  // 1e9 s is 31 years of waiting or the year 2001; 1e11 s is the year 5138 or, in ms, 1973.
  if (number < 1e9) return number * 1000
  return (number < 1e11 ? number * 1000 : number) - nowMs
}

const goUnitsMs: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
}

/** `12ms`, `1s`, `6m0s`, `1h2m3.5s` as milliseconds. */
export function parseGoDuration(text: string): number | null {
  if (!/^(?:\d+(?:\.\d+)?(?:h|ms|m|s))+$/.test(text)) return null
  let ms = 0
  for (const [, amount, unit] of text.matchAll(/([\d.]+)([a-z]+)/g)) ms += Number(amount) * goUnitsMs[unit!]!
  return ms
}

/** The three forms of RFC 9110, as Unix ms. The asctime form has no zone and means GMT. */
export function parseHttpDate(text: string): number | null {
  if (!/^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? [\w -]+\d\d:\d\d:\d\d[\w ]*$/i.test(text)) return null
  return validTime(Date.parse(/ gmt$/i.test(text) ? text : `${text} GMT`))
}

/** `2026-12-01T00:00:00Z`, with or without a fraction, as Unix ms. */
export function parseRfc3339(text: string): number | null {
  if (!/^\d{4}-\d\d-\d\dt\d\d:\d\d:\d\d(?:\.\d+)?(?:z|[+-]\d\d:\d\d)$/i.test(text)) return null
  return validTime(Date.parse(text.toUpperCase()))
}

/** Reads Anthropic's "You will regain access on 2026-12-01 at 00:00 UTC." as ms from now. */
export function regainAccessMs(message: string, nowMs: number): number | null {
  const [, date, time = '00:00'] =
    /regain access on (\d{4}-\d\d-\d\d)(?: at (\d\d:\d\d) utc)?/i.exec(message) ?? []
  const atMs = date === undefined ? null : parseRfc3339(`${date}T${time}:00Z`)
  return atMs === null ? null : boundedWait(atMs - nowMs)
}

const parseDecimal = (text: string): number | null =>
  /^[+-]?\d+(?:\.\d+)?$/.test(text.trim()) ? Number(text) : null

const validTime = (timeMs: number): number | null => (Number.isNaN(timeMs) ? null : timeMs)

/** Rounded up: a call made a fraction of a millisecond early is refused again. */
export const boundedWait = (ms: number): number => Math.min(Math.max(Math.ceil(ms), 0), longestWaitMs)
