import { costUnits } from '../domain/usage.ts'
import type { ComparedCall } from './compared-call.ts'
import type { Stats } from './mirror-store.ts'

export type Counts = Readonly<Record<string, number>>

/** What a sample without a good answer adds to the counters. */
export const failed: Counts = { failed: 1 }

/** What two answers add to the counters. `o:` is of the original, `m:` of the mirror. */
export const compared = (original: ComparedCall, mirror: ComparedCall): Counts => {
  const alike = (how: 'exact' | 'normalised') => Number(original.likeness[how] === mirror.likeness[how])
  const { costUsd: ours } = original
  const { costUsd: theirs } = mirror
  return {
    compared: 1,
    exact: alike('exact'),
    normalised: alike('normalised'),
    'o:ms': original.latencyMs,
    'm:ms': mirror.latencyMs,
    [`o:${bucketOf(original.latencyMs)}`]: 1,
    [`m:${bucketOf(mirror.latencyMs)}`]: 1,
    ...(ours !== null &&
      theirs !== null && {
        costed: 1,
        'o:cost': Math.round(ours * costUnits),
        'm:cost': Math.round(theirs * costUnits),
      }),
  }
}

export interface Latency {
  readonly mean: number | null
  readonly p50: number | null
  readonly p95: number | null
}

/** What the samples of a mirror have shown. Shares are of the compared ones, null without any. */
export interface Comparison {
  /** Unix ms of the first sample; null before it. */
  readonly sinceMs: number | null
  readonly sampled: number
  readonly compared: number
  readonly failed: number
  /** Jobs that the answer of a parallel mirror was used for. */
  readonly fallback: number
  readonly dropped: number
  readonly lost: number
  readonly agreement: Readonly<Record<'exact' | 'normalised', { count: number; share: number | null }>>
  /** The duration of the calls, in ms. */
  readonly latency: { original: Latency; mirror: Latency; meanDifference: number | null }
  /** Over the `compared` whose costs are both known. */
  readonly cost: { compared: number; original: number; mirror: number; meanDifference: number | null }
}

/** Reads the counters; those that nothing was added to are absent. */
export const comparisonOf = (stats: Stats): Comparison => {
  const count = (name: string): number => Number(stats[name] ?? 0)
  const per = (sum: number, of: number, digits: number): number | null =>
    of === 0 ? null : Number((sum / of).toFixed(digits))
  const latencyOf = (side: 'o' | 'm'): Latency => {
    const buckets = Object.keys(stats).flatMap(name => {
      const isBucket = name.startsWith(`${side}:`) && /^\d+$/.test(name.slice(2))
      return isBucket ? [[Number(name.slice(2)), count(name)] as const] : []
    })
    const counts = new Map(buckets)
    return {
      mean: per(count(`${side}:ms`), count('compared'), 1),
      p50: percentileOf(counts, 0.5),
      p95: percentileOf(counts, 0.95),
    }
  }
  const all = count('compared')
  const alike = (how: string) => ({ count: count(how), share: per(count(how), all, 4) })
  const dollars = (side: 'o' | 'm'): number => count(`${side}:cost`) / costUnits
  return {
    sinceMs: stats.since === undefined ? null : Number(stats.since),
    sampled: count('sampled'),
    compared: all,
    failed: count('failed'),
    fallback: count('fallback'),
    dropped: count('dropped'),
    lost: count('lost'),
    agreement: { exact: alike('exact'), normalised: alike('normalised') },
    latency: {
      original: latencyOf('o'),
      mirror: latencyOf('m'),
      meanDifference: per(count('m:ms') - count('o:ms'), all, 1),
    },
    cost: {
      compared: count('costed'),
      original: dollars('o'),
      mirror: dollars('m'),
      meanDifference: per(dollars('m') - dollars('o'), count('costed'), 8),
    },
  }
}

/** Buckets grow by a tenth, so that a percentile is off by a twentieth at most. */
const growth = 1.1

/** The bucket of a time of this many ms. */
export const bucketOf = (ms: number): number => Math.round(Math.log(Math.max(1, ms)) / Math.log(growth))

/**
 * The time in whole ms below which a part (0 to 1) of the counted calls lie; null without any. `counts`: by
 * bucket.
 */
export const percentileOf = (counts: ReadonlyMap<number, number>, part: number): number | null => {
  const buckets = [...counts].sort(([a], [b]) => a - b)
  const total = buckets.reduce((sum, [, count]) => sum + count, 0)
  let seen = 0
  for (const [bucket, count] of buckets) {
    seen += count
    if (seen >= total * part) return Math.round(growth ** bucket)
  }
  return null
}
