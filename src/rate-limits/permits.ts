import type { Endpoint } from '../domain/endpoint.ts'
import type { Permit } from '../domain/permit.ts'
import type { ReportedLimits } from '../domain/rate-limit-headers.ts'
import { sizeOf } from '../domain/routing/strategy.ts'
import type { ApiKey } from '../health/key-ring.ts'
import type { Tokens } from './availability.ts'
import type { KeyModelLimits, ProviderLimits } from './key-model-limits.ts'

/** What the call is made with. `null` settles it where the call was not made after all. */
export interface LimitsPermit extends Permit<LimitsOutcome | null> {
  readonly kind: 'permit'
  readonly key: ApiKey | 'none'
}

export interface CallRequest {
  readonly model: string
  readonly endpoint: Endpoint
  readonly body: string
  /** The only key that will do; any where absent. */
  readonly only?: ApiKey | 'none' | undefined
}

export interface LimitsOutcome {
  readonly reported: ReportedLimits | null
  readonly succeeded: boolean
  /** The provider said that it has too much to do. */
  readonly overloaded: boolean
  /** How long a throttled call asked to be left alone, in ms; null when it was not throttled. */
  readonly throttledForMs: number | null
  /** Tokens used in all; null when unknown. */
  readonly tokens: number | null
  readonly outputTokens: number | null
}

/** Makes permits, and settles them with the limiters of their keyModel. */
export interface Permits {
  /** The tokens that a request may use; reckoned when it is asked. */
  estimate(request: CallRequest): Tokens
  /** Takes what the call needs: only where the keyModel has it. */
  grant(keyModel: KeyModelLimits, tokens: Tokens): LimitsPermit
}

export interface PermitsOptions {
  readonly limits: ProviderLimits
  /** Steady ms. */
  readonly clock: () => number
  /** Called when another call may be possible. */
  readonly changed: () => void
}

/** Tokens used beyond the estimate; 0 where nothing was estimated, or the use is not known. */
const spentBeyond = (estimate: number, { tokens }: LimitsOutcome): number =>
  estimate > 0 && tokens !== null ? tokens - estimate : 0

export const createPermits = ({ limits, clock, changed }: PermitsOptions): Permits => {
  const outputs = new Map<string, number>()

  /**
   * Computed only where tokens are limited. The size of recent answers says more than what the request would
   * allow.
   */
  const estimate = ({ model, endpoint, body }: CallRequest): Tokens => {
    let tokens: number | null = null
    return () => {
      if (tokens !== null) return tokens
      const { input, output } = sizeOf(endpoint, body)
      tokens = Math.ceil(input + (outputs.get(model) ?? output))
      return tokens
    }
  }

  const grant = (keyModel: KeyModelLimits, tokens: Tokens): LimitsPermit => {
    const { limiters } = keyModel
    const epoch = keyModel.learned?.epoch ?? 0
    const epochs = limiters.map(limiter => limiter.epoch)
    const isUntracked = keyModel.learned === null
    if (isUntracked) keyModel.untracked += 1
    // A limiter that begins to count tokens while a call is under way has nothing to settle with it.
    const estimates = limiters.map(({ budget }) => (budget.countsTokens ? tokens() : 0))
    limiters.forEach((limiter, i) => {
      limiter.budget.take(estimates[i]!)
      limiter.took()
    })
    const begunAtMs = clock()
    const giveBack = (): void => {
      const slotAtMs = clock()
      limiters.forEach((limiter, i) => {
        limiter.budget.leave({ slotAtMs, tokens: estimates[i]! })
        limiter.undone()
      })
      changed()
    }
    const spend = (outcome: LimitsOutcome): void => {
      limiters.forEach((limiter, i) => {
        limiter.budget.leave(null)
        limiter.ended(spentBeyond(estimates[i]!, outcome), outcome.succeeded ? clock() - begunAtMs : null)
      })
      if (outcome.reported) limits.learn(keyModel).observe(outcome.reported)
      if (outcome.throttledForMs !== null) throttled(outcome.throttledForMs)
      if (outcome.overloaded) keyModel.learned?.overloaded(epoch)
      if (outcome.outputTokens !== null) learnOutput(keyModel.model, outcome.outputTokens)
      if (limiters.length > 0) changed()
    }
    /** What is configured for all models only learns that its bursts are not taken. */
    const throttled = (forMs: number): void => {
      limiters.forEach((limiter, i) => {
        if (limiter !== keyModel.learned) limiter.throttled(epochs[i]!, 0)
      })
      limits.learn(keyModel).throttled(epoch, forMs)
    }
    return {
      kind: 'permit',
      key: keyModel.key,
      settle: async outcome => {
        if (isUntracked) keyModel.untracked -= 1
        if (outcome === null) giveBack()
        else spend(outcome)
      },
    }
  }

  /** A running mean: what the last ten or so had. */
  const learnOutput = (model: string, tokens: number): void => {
    const mean = outputs.get(model)
    outputs.set(model, mean === undefined ? tokens : mean + (tokens - mean) / 10)
  }

  return { estimate, grant }
}
