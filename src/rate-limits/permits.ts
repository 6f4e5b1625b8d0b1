import type { Endpoint } from '../domain/endpoint.ts'
import { sizeOf } from '../domain/request-size.ts'
import type { ToldLimits } from '../domain/told-limits.ts'
import type { ApiKey } from '../health/key-ring.ts'
import type { Tokens } from './availability.ts'
import type { Lane, Lanes } from './key-model-limits.ts'
import type { Meter } from './limiter.ts'

/** The right to make one call. */
export interface Permit {
  readonly kind: 'permit'
  readonly key: ApiKey | 'none'
  /** The call was not made after all. */
  cancel(): void
  ended(outcome: CallOutcome): void
}

export interface CallRequest {
  readonly model: string
  readonly endpoint: Endpoint
  readonly body: string
  /** The only key that will do; any where absent. */
  readonly only?: ApiKey | 'none' | undefined
}

export interface CallOutcome {
  readonly told: ToldLimits | null
  readonly succeeded: boolean
  /** How long a throttled call asked to be left alone, in ms; null when it was not throttled. */
  readonly throttledForMs: number | null
  /** Tokens used in all; null where nobody knows. */
  readonly tokens: number | null
  readonly outputTokens: number | null
}

/** Makes permits, and settles them with the meters of their lane. */
export interface Permits {
  /** The tokens that a request may use; reckoned when it is asked. */
  estimate(request: CallRequest): Tokens
  /** Takes what the call needs: only where the lane has it. */
  grant(lane: Lane, tokens: Tokens): Permit
}

export interface PermitsOptions {
  readonly lanes: Lanes
  /** Steady ms. */
  readonly clock: () => number
  /** There may be room for another. */
  readonly changed: () => void
}

export const createPermits = ({ lanes, clock, changed }: PermitsOptions): Permits => {
  const outputs = new Map<string, number>()

  /** Reckoned only where tokens are limited; what answers had lately says more than what the request would allow. */
  const estimate = ({ model, endpoint, body }: CallRequest): Tokens => {
    let tokens: number | null = null
    return () => {
      if (tokens !== null) return tokens
      const { input, output } = sizeOf(endpoint, body)
      tokens = Math.ceil(input + (outputs.get(model) ?? output))
      return tokens
    }
  }

  const grant = (lane: Lane, tokens: Tokens): Permit => {
    const { meters } = lane
    const epoch = lane.learned?.epoch ?? 0
    const isUncounted = lane.learned === null
    if (isUncounted) lane.uncounted += 1
    // A meter that begins to count tokens while a call is under way has nothing to settle with it.
    const estimates = meters.map(({ purse }) => (purse.countsTokens ? tokens() : 0))
    meters.forEach((meter, i) => {
      meter.purse.take(estimates[i]!)
      meter.took()
    })
    const leave = (unused: boolean): void => {
      if (isUncounted) lane.uncounted -= 1
      const slotAtMs = clock()
      for (const [i, { purse }] of meters.entries()) {
        purse.leave(unused ? { slotAtMs, tokens: estimates[i]! } : null)
      }
    }
    return {
      kind: 'permit',
      key: lane.key,
      cancel: () => {
        leave(true)
        changed()
      },
      ended: outcome => {
        leave(false)
        settle(meters, estimates, outcome)
        if (outcome.told) lanes.learn(lane).hear(outcome.told)
        if (outcome.throttledForMs !== null) lanes.learn(lane).throttled(epoch, outcome.throttledForMs)
        if (outcome.outputTokens !== null) learnOutput(lane.model, outcome.outputTokens)
        if (meters.length > 0) changed()
      },
    }
  }

  const settle = (meters: readonly Meter[], estimates: readonly number[], outcome: CallOutcome): void =>
    meters.forEach((meter, i) => {
      const estimate = estimates[i]!
      const isKnown = estimate > 0 && outcome.tokens !== null
      meter.ended(isKnown ? outcome.tokens - estimate : 0, outcome.succeeded)
    })

  /** A running mean: what the last ten or so had. */
  const learnOutput = (model: string, tokens: number): void => {
    const mean = outputs.get(model)
    outputs.set(model, mean === undefined ? tokens : mean + (tokens - mean) / 10)
  }

  return { estimate, grant }
}
