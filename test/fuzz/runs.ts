import { inject } from 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    /** How many times as many runs as `npm test` makes; absent there. */
    fuzzTimes?: number
    /** The seed of every property; absent for one by chance, which a failure prints. */
    fuzzSeed?: number
  }
}

const times = inject('fuzzTimes') ?? 1
const seed = inject('fuzzSeed')

/** A slow machine makes fewer runs rather than hold up `npm test`: a property has this long. */
const timeLimitMs = 12_000

/** What fast-check is given for a property that `npm test` runs `count` times. */
export const runs = (count: number) => ({
  numRuns: count * times,
  ...(seed !== undefined && { seed }),
  interruptAfterTimeLimit: timeLimitMs * times,
  markInterruptAsFailure: false,
})

/** Vitest's limit for a test that holds one property, with room for finding the smallest failing case. */
export const patienceMs = 3 * timeLimitMs * times
