/** When a provider is taken for down and how it comes back, as configured. */
export interface CircuitSettings {
  readonly windowMs: number
  readonly errorPercent: number
  readonly minCalls: number
  /** Consecutive failures, over all processes, that open the circuit regardless of the window. */
  readonly runLength: number
  /**
   * Calls are overdue when they take this many times as long as the longest usually do; 0 turns the check
   * off.
   */
  readonly slowFactor: number
  readonly resetMs: number
  readonly maxResetMs: number
  readonly rampMs: number
  readonly checkMs: number
  /** The share of the traffic, 0 to 1, right after the probe. */
  readonly firstShare: number
}

/** The settings as the scripts take them: all that depends on nothing else is reckoned beforehand. */
export interface CircuitTerms {
  readonly bucketMs: number
  readonly errorPercent: number
  readonly minCalls: number
  /** A provider that has just come back is judged on fewer calls. */
  readonly minCallsBack: number
  readonly runLength: number
  /** How long it stays open: at first, after the first relapse, after the second …; the last one stays. */
  readonly resetsMs: readonly number[]
  /**
   * The share of each step of the ramp; after the last it is healthy. Without steps it is healthy right
   * after the probe.
   */
  readonly shares: readonly number[]
  readonly checkMs: number
  readonly slow: SlowTerms
}

/** When calls under way are overdue, and how many of them it takes. */
export interface SlowTerms {
  readonly factor: number
  /** No call is overdue sooner. */
  readonly leastMs: number
  readonly calls: number
  /** The same for one that has just come back, which gets few calls. */
  readonly callsBack: number
  /** Answers that have to be known before anything is usual. */
  readonly answers: number
}

export const windowBuckets = 10
const minCallsBack = 3
const leastRun = 5

/**
 * The default of `runLength`: a config that wants many calls in a window does not want five failures in a row
 * to decide.
 */
export const usualRunOf = (minCalls: number): number => Math.max(leastRun, Math.ceil(minCalls / 2))

/** Doubled with each relapse, up to the most. */
export const resetsOf = (resetMs: number, maxResetMs: number): number[] => {
  const resets = [resetMs]
  while (resets.at(-1)! < maxResetMs) resets.push(Math.min(resets.at(-1)! * 2, maxResetMs))
  return resets
}

/**
 * Even steps from the first share; the step after the last one is the whole traffic, at the end of the ramp.
 */
export const sharesOf = (rampMs: number, checkMs: number, firstShare: number): number[] => {
  const steps = Math.ceil(rampMs / checkMs)
  return Array.from({ length: steps }, (_, i) => firstShare + ((1 - firstShare) * i) / steps)
}

export const termsOf = (settings: CircuitSettings): CircuitTerms => ({
  bucketMs: Math.max(1, Math.ceil(settings.windowMs / windowBuckets)),
  errorPercent: settings.errorPercent,
  minCalls: settings.minCalls,
  minCallsBack: Math.min(minCallsBack, settings.minCalls),
  runLength: settings.runLength,
  resetsMs: resetsOf(settings.resetMs, settings.maxResetMs),
  shares: sharesOf(settings.rampMs, settings.checkMs, settings.firstShare),
  checkMs: settings.checkMs,
  slow: { factor: settings.slowFactor, leastMs: 1_000, calls: 3, callsBack: 2, answers: 20 },
})
