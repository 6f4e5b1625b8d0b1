import { z } from 'zod'

const units = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const

type Unit = keyof typeof units

const form = /^(\d+)(ms|s|m|h|d)$/
/** What a fault says of a value that is none. */
export const notADuration = 'expected a duration such as 500ms, 30s, 5m, 24h or 7d'

const msOf = (text: string): number => {
  const [, count, unit] = form.exec(text)!
  return Number(count) * units[unit as Unit]
}

/** `500ms`, `30s`, `5m`, `24h`, `7d`, read as milliseconds. */
export const duration = z.string(notADuration).regex(form, notADuration).transform(msOf)

/** A duration within these bounds, each included. */
export const durationFrom = (least: string, most?: string) =>
  duration.refine(
    ms => ms >= msOf(least) && (most === undefined || ms <= msOf(most)),
    most === undefined ? `expected at least ${least}` : `expected ${least} to ${most}`,
  )

/** Milliseconds in the largest unit that has no rest: 90000 as `90s`, 3600000 as `1h`. */
export const durationText = (ms: number): string => {
  const [unit, size] = Object.entries(units).find(([, size]) => ms % size === 0 && ms > 0) ?? ['s', 1_000]
  return `${Math.trunc(ms / size)}${unit}`
}

const words: readonly (readonly [RegExp, Unit])[] = [
  [/^(?:ms|msecs?|millis|milliseconds?)$/, 'ms'],
  [/^(?:s|secs?|seconds?)$/, 's'],
  [/^(?:m|mins?|minutes?)$/, 'm'],
  [/^(?:h|hrs?|hours?)$/, 'h'],
  [/^(?:d|days?)$/, 'd'],
]

/** `1h30m` and `PT1H30M`: a duration here has one unit. */
const ofParts = (text: string): string | undefined => {
  const parts = /^(?:P?T)?((?:\d+[hms]){1,3})$/i
    .exec(text)?.[1]
    ?.toLowerCase()
    .match(/\d+[hms]/g)
  if (!parts || (parts.length === 1 && !/^P/i.test(text))) return undefined
  return durationText(parts.reduce((sum, part) => sum + msOf(part), 0))
}

/** What was probably meant by a value that is no duration. A bare number is one of seconds, or of milliseconds from a thousand on. */
export const meantDuration = (value: unknown): string | undefined => {
  const compound = ofParts(String(value).trim())
  if (compound !== undefined) return compound
  const [, count, name = ''] = /^(\d{1,9}(?:\.\d{1,3})?)\s*([a-z]*)$/i.exec(String(value).trim()) ?? []
  if (count === undefined) return undefined
  const bare = Number(count) < 1_000 ? 's' : 'ms'
  const unit = name === '' ? bare : words.find(([like]) => like.test(name.toLowerCase()))?.[1]
  return unit === undefined ? undefined : durationText(Number(count) * units[unit])
}
