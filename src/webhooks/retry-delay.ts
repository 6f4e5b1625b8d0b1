import { longestWaitMs } from '../domain/classify/retry-after.ts'

const second = 1_000
const minute = 60 * second
const hour = 60 * minute

/** The example schedule of Standard Webhooks 1.0.0: ten attempts over 75.6 hours, so a weekend's outage is survived. */
const delaysMs = [
  5 * second,
  5 * minute,
  30 * minute,
  2 * hour,
  5 * hour,
  10 * hour,
  14 * hour,
  20 * hour,
  24 * hour,
] as const

/**
 * Milliseconds until a delivery that has failed `failedAttempts` times (1 or more) is tried again; null when its
 * attempts are used up and it goes to the dead letters. Steps are jittered by 20 % either way. A Retry-After is
 * jittered upwards only: never earlier than asked, yet not everything at the same instant. svix clamps it to
 * twice the step, but the first step is 5 s and receivers mostly ask for a minute: that would call too early. A day,
 * which is also the longest step, is the most that is granted.
 */
export const nextDelayMs = (
  failedAttempts: number,
  options: { retryAfterMs: number | null; random: () => number },
): number | null => {
  const step = delaysMs[failedAttempts - 1]
  if (step === undefined) return null
  const chance = options.random()
  const planned = step * (0.8 + 0.4 * chance)
  const asked = Math.min(options.retryAfterMs ?? 0, longestWaitMs) * (1 + 0.2 * chance)
  return Math.round(Math.max(planned, asked))
}
