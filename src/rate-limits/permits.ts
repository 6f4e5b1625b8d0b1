import type { Endpoint } from '../domain/endpoint.ts'
import { sizeOf } from '../domain/request-size.ts'
import type { ToldLimits } from '../domain/told-limits.ts'
import type { ApiKey } from '../health/key-ring.ts'
import type { Tokens } from './availability.ts'
import type { KeyModelLimits, ProviderLimits } from './key-model-limits.ts'
import type { Limiter } from './limiter.ts'

/** The right to make one call. */
export interface Permit {
  readonly kind: 'permit'
  readonly key: ApiKey | 'none'
  /** The call was not made after all. */
  cancel(): void
  ended(outcome: LimitsOutcome): void
}

export interface CallRequest {
  readonly model: string
  readonly endpoint: Endpoint
  readonly body: string
  /** The only key that will do; any where absent. */
  readonly only?: ApiKey | 'none' | undefined
}

export interface LimitsOutcome {
  readonly reported: ToldLimits | null
  readonly succeeded: boolean
  /** How long a throttled call asked to be left alone, in ms; null when it was not throttled. */
  readonly throttledForMs: number | null
  /** Tokens used in all; null where nobody knows. */
  readonly tokens: number | null
  readonly outputTokens: number | null
}

/** Makes permits, and settles them with the limiters of their keyModel. */
export interface Permits {
  /** The tokens that a request may use; reckoned when it is asked. */
  estimate(request: CallRequest): Tokens
  /** Takes what the call needs: only where the keyModel has it. */
  grant(keyModel: KeyModelLimits, tokens: Tokens): Permit
}

export interface PermitsOptions {
  readonly limits: ProviderLimits
  /** Steady ms. */
  readonly clock: () => number
  /** There may be room for another. */
  readonly changed: () => void
}

export const createPermits = ({ limits, clock, changed }: PermitsOptions): Permits => {
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

  const grant = (keyModel: KeyModelLimits, tokens: Tokens): Permit => {
    const { limiters } = keyModel
    const epoch = keyModel.learned?.epoch ?? 0
    const isUncounted = keyModel.learned === null
    if (isUncounted) keyModel.untracked += 1
    // A limiter that begins to count tokens while a call is under way has nothing to settle with it.
    const estimates = limiters.map(({ budget }) => (budget.countsTokens ? tokens() : 0))
    limiters.forEach((limiter, i) => {
      limiter.budget.take(estimates[i]!)
      limiter.took()
    })
    const leave = (unused: boolean): void => {
      if (isUncounted) keyModel.untracked -= 1
      const slotAtMs = clock()
      for (const [i, { budget }] of limiters.entries()) {
        budget.leave(unused ? { slotAtMs, tokens: estimates[i]! } : null)
      }
    }
    return {
      kind: 'permit',
      key: keyModel.key,
      cancel: () => {
        leave(true)
        changed()
      },
      ended: outcome => {
        leave(false)
        settle(limiters, estimates, outcome)
        if (outcome.reported) limits.learn(keyModel).observe(outcome.reported)
        if (outcome.throttledForMs !== null) limits.learn(keyModel).throttled(epoch, outcome.throttledForMs)
        if (outcome.outputTokens !== null) learnOutput(keyModel.model, outcome.outputTokens)
        if (limiters.length > 0) changed()
      },
    }
  }

  const settle = (limiters: readonly Limiter[], estimates: readonly number[], outcome: LimitsOutcome): void =>
    limiters.forEach((limiter, i) => {
      const estimate = estimates[i]!
      const isKnown = estimate > 0 && outcome.tokens !== null
      limiter.ended(isKnown ? outcome.tokens - estimate : 0, outcome.succeeded)
    })

  /** A running mean: what the last ten or so had. */
  const learnOutput = (model: string, tokens: number): void => {
    const mean = outputs.get(model)
    outputs.set(model, mean === undefined ? tokens : mean + (tokens - mean) / 10)
  }

  return { estimate, grant }
}
