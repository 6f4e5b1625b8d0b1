import type { Tokens } from './availability.ts'
import type { Lane } from './key-model-limits.ts'
import type { Demand, Meter } from './limiter.ts'

/** What is wanted of each meter, summed over those who wait; the first of them come first. */
export interface DemandTally {
  want(lane: Lane, tokens: Tokens): void
  /** Tells all meters, also those of which nothing is wanted. */
  tell(meters: Iterable<Meter>): void
}

const nothing: Demand = { waiting: 0, tokens: 0, leastTokens: 0 }

export const createDemandTally = (): DemandTally => {
  const wanted = new Map<Meter, { waiting: number; tokens: number; readonly leastTokens: number }>()
  return {
    want: ({ meters }, tokens) => {
      for (const meter of meters) {
        const some = meter.purse.countsTokens ? tokens() : 0
        const sum = wanted.get(meter)
        if (sum) {
          sum.waiting += 1
          sum.tokens += some
        } else wanted.set(meter, { waiting: 1, tokens: some, leastTokens: some })
      }
    },
    tell: meters => {
      for (const meter of meters) meter.want(wanted.get(meter) ?? nothing)
    },
  }
}
