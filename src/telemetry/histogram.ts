/** One series of a histogram, as it stands. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>
  /** Observations up to each bound and above the one before it; the last is of those above all bounds. */
  readonly counts: readonly number[]
  readonly sum: number
}

/** Counts observations in buckets, in this process since it started. */
export interface Histogram {
  /** In seconds. `values` stand in the order of the labels. */
  observe(seconds: number, ...values: readonly string[]): void
  read(): readonly Series[]
}

/** Seconds. From a call in the cache to a job of a batch that waits for a day. */
export const secondsBounds = [
  ...[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600],
  ...[1_800, 3_600, 10_800, 21_600, 43_200, 86_400],
] as const

export const createHistogram = (...names: readonly string[]): Histogram => {
  const series = new Map<string, { readonly values: readonly string[]; counts: number[]; sum: number }>()

  const begin = (key: string, values: readonly string[]) => {
    const begun = { values, counts: new Array<number>(secondsBounds.length + 1).fill(0), sum: 0 }
    series.set(key, begun)
    return begun
  }

  return {
    observe: (seconds, ...values) => {
      const key = values.join('\n')
      const own = series.get(key) ?? begin(key, values)
      const bucket = secondsBounds.findIndex(bound => seconds <= bound)
      own.counts[bucket === -1 ? secondsBounds.length : bucket]! += 1
      own.sum += seconds
    },
    read: () =>
      [...series.values()].map(({ values, counts, sum }) => ({
        labels: Object.fromEntries(names.map((name, i) => [name, values[i]!])),
        counts: [...counts],
        sum,
      })),
  }
}
