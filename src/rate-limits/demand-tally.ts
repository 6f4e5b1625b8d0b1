import type { Tokens } from './availability.ts'
import type { KeyModelLimits } from './key-model-limits.ts'
import type { Demand, Limiter } from './limiter.ts'

/** What is wanted of each limiter, summed over those who wait; the first of them come first. */
export interface DemandSum {
  request(keyModel: KeyModelLimits, tokens: Tokens): void
  /** Tells all limiters, also those of which nothing is wanted. */
  publish(limiters: Iterable<Limiter>): void
}

const nothing: Demand = { waiting: 0, tokens: 0, leastTokens: 0 }

export const createDemandSum = (): DemandSum => {
  const wanted = new Map<Limiter, { waiting: number; tokens: number; readonly leastTokens: number }>()
  return {
    request: ({ limiters }, tokens) => {
      for (const limiter of limiters) {
        const some = limiter.budget.countsTokens ? tokens() : 0
        const sum = wanted.get(limiter)
        if (sum) {
          sum.waiting += 1
          sum.tokens += some
        } else wanted.set(limiter, { waiting: 1, tokens: some, leastTokens: some })
      }
    },
    publish: limiters => {
      for (const limiter of limiters) limiter.request(wanted.get(limiter) ?? nothing)
    },
  }
}
