import type { CallEntry } from '../../src/sim/call-journal.ts'

export interface Window {
  readonly bucketMs: number
  readonly buckets: number
  readonly minCalls: number
  readonly errorPercent: number
}

interface Ended {
  readonly endedAtMs: number
  readonly failed: boolean
}

const endedOf = (calls: readonly CallEntry[]): Ended[] =>
  calls
    .flatMap(({ endedAtMs, outcome }) => (endedAtMs === null ? [] : { endedAtMs, failed: outcome !== 'ok' }))
    .toSorted((a, b) => a.endedAtMs - b.endedAtMs)

/**
 * When enough of the calls that all processes together saw in the window had failed, by the provider's own
 * log: the end of the call that did it, in Unix ms. Redis hears of calls a little later, so that some count
 * to a later part of its window: where by that log it came only near, that is when it came nearest. Null
 * where none failed.
 */
export const crossedAt = (calls: readonly CallEntry[], window: Window): number | null => {
  const ended = endedOf(calls)
  const bucketOf = ({ endedAtMs }: Ended): number => Math.floor(endedAtMs / window.bucketMs)
  let nearest: { readonly percent: number; readonly atMs: number } | null = null
  for (const [i, call] of ended.entries()) {
    if (!call.failed) continue
    const seen = ended.slice(0, i + 1).filter(other => bucketOf(other) > bucketOf(call) - window.buckets)
    const percent = (seen.filter(other => other.failed).length * 100) / seen.length
    if (seen.length >= window.minCalls && percent > window.errorPercent) return call.endedAtMs
    if (nearest === null || percent > nearest.percent) nearest = { percent, atMs: call.endedAtMs }
  }
  return nearest?.atMs ?? null
}

/** How long after a moment each caller still began a call; 0 for one that did not. Calls from `untilMs` on are others. */
export const lastCalls = (
  calls: readonly CallEntry[],
  callers: readonly string[],
  sinceMs: number,
  untilMs: number,
): number[] =>
  callers.map(caller => {
    const late = calls.filter(
      call => call.caller === caller && call.startedAtMs > sinceMs && call.startedAtMs < untilMs,
    )
    return Math.max(0, ...late.map(call => call.startedAtMs - sinceMs))
  })

/** The most calls that began in any stretch of that length. */
export const mostWithin = (calls: readonly CallEntry[], ms: number): number =>
  Math.max(
    0,
    ...calls.map(
      ({ startedAtMs: at }) =>
        calls.filter(({ startedAtMs }) => startedAtMs >= at && startedAtMs < at + ms).length,
    ),
  )
