/** A value at a time. */
export interface Point {
  readonly x: number
  readonly y: number
}

export interface Slope {
  /** Change of y by 1 of x: the least squares. */
  readonly perX: number
  /**
   * Standard error of that, as if the points were independent. Those of a process that collects its garbage now and then
   * are not: the true one is larger.
   */
  readonly error: number
  /** The median of the slopes between all pairs of points (Theil and Sen): a few outliers do not move it. */
  readonly robust: number
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

/** Null for fewer than three points, and where they are all of one time. */
export const slopeOf = (points: readonly Point[]): Slope | null => {
  const n = points.length
  const meanX = sum(points.map(({ x }) => x)) / n
  const meanY = sum(points.map(({ y }) => y)) / n
  const spread = sum(points.map(({ x }) => (x - meanX) ** 2))
  if (n < 3 || spread === 0) return null
  const perX = sum(points.map(({ x, y }) => (x - meanX) * (y - meanY))) / spread
  const residue = sum(points.map(({ x, y }) => (y - meanY - perX * (x - meanX)) ** 2))
  return { perX, error: Math.sqrt(residue / (n - 2) / spread), robust: robustSlope(points) }
}

/** All pairs of an hour's samples are too many: of more points than this, every so many-th is looked at. */
const mostPoints = 400

const robustSlope = (all: readonly Point[]): number => {
  const step = Math.ceil(all.length / mostPoints)
  const points = all.filter((_, i) => i % step === 0)
  const slopes = points
    .flatMap((a, i) => points.slice(i + 1).map(b => (b.y - a.y) / (b.x - a.x)))
    .filter(Number.isFinite)
    .toSorted((a, b) => a - b)
  const middle = slopes.length >> 1
  return slopes.length % 2 === 1 ? slopes[middle]! : (slopes[middle - 1]! + slopes[middle]!) / 2
}
