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

/** Calls that Redis was told of later stand in a later part of the window: by so many the two counts may differ. */
const slack = 2

/**
 * When enough of the calls that all processes together saw in the window had failed, by the provider's own word: the end of
 * the call that did it, or by `slack` sooner, in Unix ms. Null where none did.
 */
export const crossedAt = (calls: readonly CallEntry[], window: Window): number | null => {
  const ended = endedOf(calls)
  const bucketOf = ({ endedAtMs }: Ended): number => Math.floor(endedAtMs / window.bucketMs)
  for (const [i, call] of ended.entries()) {
    if (!call.failed) continue
    const seen = ended.slice(0, i + 1).filter(other => bucketOf(other) > bucketOf(call) - window.buckets)
    const failed = seen.filter(other => other.failed).length
    if (seen.length >= window.minCalls && (failed + slack) * 100 > window.errorPercent * seen.length)
      return call.endedAtMs
  }
  return null
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
