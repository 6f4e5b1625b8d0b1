/** What a batch's lines have cost so far, and how many of them are under way. */
interface Spending {
  /** The cost of the collected lines, in the unit of the limit. */
  readonly cost: number
  /** Collected lines that were jobs. */
  readonly ended: number
  /** Jobs that are not collected: what they will cost is guessed by the mean of those that ended. */
  readonly open: number
}

/** Before anything is known of what a line costs. */
const firstLines = 4

/**
 * How many more lines may become jobs, so that they, those under way and those that ended stay within the
 * limit; 0 to wait until more is known. `spent`: nothing is under way, and one more line would pass the
 * limit. At first lines go out a few at a time, twice as many with each round, because the first answers show
 * what a line costs.
 */
export const linesWithin = (limit: number | null, { cost, ended, open }: Spending): number | 'spent' => {
  if (limit === null) return Number.POSITIVE_INFINITY
  const pace = Math.max(0, Math.max(firstLines, 2 * ended) - open)
  if (cost === 0) return pace
  const mean = cost / ended
  // A quotient of fractions may miss a whole number by a hair.
  const affordable = Math.floor((limit - cost) / mean - open + 1e-6)
  if (affordable < 1 && open === 0) return 'spent'
  return Math.max(0, Math.min(pace, affordable))
}
