/** Buckets grow by a tenth, so that a percentile is off by a twentieth at most. */
const growth = 1.1

/** The bucket of a time of this many ms. */
export const bucketOf = (ms: number): number => Math.round(Math.log(Math.max(1, ms)) / Math.log(growth))

/**
 * The time below which a part (0 to 1) of the counted ones lie, in whole ms; null without any. `counts`: by bucket.
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
