import { describe, expect, it } from 'vitest'
import type { ComparedCall } from '../../src/mirror/compared-call.ts'
import { bucketOf, compared, comparisonOf, failed, percentileOf } from '../../src/mirror/comparison.ts'

const side = (more: Partial<ComparedCall> = {}): ComparedCall => ({
  likeness: { exact: 'e', normalised: 'n' },
  latencyMs: 100,
  costUsd: 0.5,
  ...more,
})

/** As Redis adds the counters up. */
const stats = (...counts: readonly Readonly<Record<string, number>>[]) => {
  const sums: Record<string, number> = {}
  for (const each of counts)
    for (const [name, by] of Object.entries(each)) sums[name] = (sums[name] ?? 0) + by
  return Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, String(sum)]))
}

describe('a comparison', () => {
  it('is empty before the first sample', () => {
    expect(comparisonOf({})).toMatchObject({
      ...{ sinceMs: null, compared: 0 },
      agreement: { exact: { count: 0, share: null } },
      latency: { original: { mean: null, p50: null }, meanDifference: null },
      cost: { compared: 0, original: 0, meanDifference: null },
    })
  })

  it('adds up how alike answers are, what they took and what they cost', () => {
    const other = { exact: 'x', normalised: 'n' }
    const comparison = comparisonOf(
      stats(
        compared(side(), side({ latencyMs: 300, costUsd: 0.25 })),
        compared(side(), side({ latencyMs: 200, costUsd: null, likeness: other })),
        compared(side(), side({ likeness: { exact: 'x', normalised: 'x' }, costUsd: 0.75 })),
        failed,
      ),
    )
    expect(comparison).toMatchObject({
      compared: 3,
      failed: 1,
      agreement: { exact: { count: 1, share: 0.3333 }, normalised: { count: 2, share: 0.6667 } },
      latency: { original: { mean: 100 }, mirror: { mean: 200 }, meanDifference: 100 },
      cost: { compared: 2, original: 1, mirror: 1, meanDifference: 0 },
    })
  })

  it('keeps sums of costs exact', () => {
    const tenth = compared(side({ costUsd: 0.1 }), side({ costUsd: 0.2 }))
    const { cost } = comparisonOf(stats(...Array.from({ length: 10 }, () => tenth)))
    expect([cost.original, cost.mirror, cost.meanDifference]).toEqual([1, 2, 0.1])
  })
})

describe('a histogram', () => {
  it('tells percentiles to a twentieth, over six orders of magnitude', () => {
    const times = Array.from({ length: 6_000 }, (_, i) => 1.0023 ** i)
    const counts = new Map<number, number>()
    for (const ms of times) counts.set(bucketOf(ms), (counts.get(bucketOf(ms)) ?? 0) + 1)
    for (const part of [0.5, 0.95]) {
      const real = times[Math.ceil(part * times.length) - 1]!
      expect(Math.abs(percentileOf(counts, part)! / real - 1)).toBeLessThan(0.06)
    }
  })

  it('takes no time for one millisecond, and says nothing of nothing', () => {
    expect([bucketOf(0), bucketOf(1)]).toEqual([0, 0])
    expect(percentileOf(new Map(), 0.5)).toBeNull()
    expect(percentileOf(new Map([[0, 3]]), 0.95)).toBe(1)
  })
})
