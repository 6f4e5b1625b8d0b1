import type { CallEntry } from '../../src/sim/call-journal.ts'

/** What a provider's own log says of how its places were taken. */
export interface Filling {
  /** The most calls that were under way at a time. */
  readonly peak: number
  /** When so many were first under way, in Unix ms; null where they never were. */
  reachedAtMs(count: number): number | null
}

/** `calls` may hold some that still run. */
export const fillingOf = (calls: readonly CallEntry[]): Filling => {
  const changes = calls
    .flatMap(({ startedAtMs, endedAtMs }) => [
      { atMs: startedAtMs, by: 1 },
      ...(endedAtMs === null ? [] : [{ atMs: endedAtMs, by: -1 }]),
    ])
    // Of one millisecond, ends go first: a place that falls free is taken again in the same one.
    .toSorted((a, b) => a.atMs - b.atMs || a.by - b.by)
  const firstAt: number[] = []
  let under = 0
  for (const { atMs, by } of changes) {
    under += by
    if (under > 0) firstAt[under] ??= atMs
  }
  return { peak: Math.max(0, firstAt.length - 1), reachedAtMs: count => firstAt[count] ?? null }
}

/** Calls under way between two moments, in Unix ms, on average. */
export const meanInFlight = (calls: readonly CallEntry[], fromMs: number, toMs: number): number => {
  const spentMs = calls.reduce(
    (sum, { startedAtMs, endedAtMs }) =>
      sum + Math.max(0, Math.min(endedAtMs ?? toMs, toMs) - Math.max(startedAtMs, fromMs)),
    0,
  )
  return spentMs / (toMs - fromMs)
}

/** The calls that began between two moments, in Unix ms. */
export const begunBetween = (calls: readonly CallEntry[], fromMs: number, toMs: number): CallEntry[] =>
  calls.filter(({ startedAtMs }) => startedAtMs >= fromMs && startedAtMs < toMs)
