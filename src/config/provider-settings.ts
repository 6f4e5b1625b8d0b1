import { type CircuitSettings, usualRunOf } from '../domain/circuit-terms.ts'
import type { Backoff } from '../domain/routing/backoff.ts'
import { presetOf } from './presets.ts'
import type { Config, ProviderConfig } from './schema.ts'

export interface HealthCheckConfig {
  readonly kind: 'models' | 'completion'
  readonly intervalMs: number
  /** The provider's own name of a model; absent where a route's is to be taken. */
  readonly model?: string
}

const usual: HealthCheckConfig = { kind: 'models', intervalMs: 30_000 }

/** Types whose API has no list of models where completions are, or none that their key may read. */
const listless = new Set(['vertex', 'bedrock'])

export const canListModels = (type: string | undefined): boolean =>
  type === undefined || !(listless.has(type) || presetOf(type)?.keyPath === null)

/** Types of servers that a user may run. */
const isOnesOwn = (type: string): boolean => type === 'openai-compatible' || presetOf(type)?.key === 'taken'

/**
 * How a provider is asked while no job calls it, or null. Unless the config says so, only those are asked that send no
 * bills: the simulated, and servers without a key, which are the user's own as a rule.
 */
export const healthCheckOf = (provider: ProviderConfig): HealthCheckConfig | null => {
  const { type, api_key, api_keys, health_check: asked } = provider
  if (asked) {
    const { kind, interval, model, enabled } = asked
    return enabled ? { kind, intervalMs: interval, ...(model === undefined ? {} : { model }) } : null
  }
  const isKeyless = api_key === undefined && api_keys === undefined
  return type === 'simulated' || (isOnesOwn(type) && isKeyless) ? usual : null
}

/** For how long a job leaves a target alone that failed it, by the target's provider. */
export const backoffsOf = ({ providers }: Config): ((target: { readonly provider: string }) => Backoff) => {
  const backoffs = new Map(
    Object.entries(providers).map(([name, { backoff }]) => [
      name,
      { baseMs: backoff.base, capMs: backoff.cap },
    ]),
  )
  // A job may still be at a provider that the config has no more.
  return ({ provider }) => backoffs.get(provider) ?? { baseMs: 0, capMs: 0 }
}

/** When the circuit of a provider opens, and how its traffic returns. */
export const circuitSettingsOf = ({ breaker, recovery }: ProviderConfig): CircuitSettings => ({
  windowMs: breaker.window,
  errorPercent: breaker.error_percent,
  minCalls: breaker.min_calls,
  runLength: breaker.consecutive_failures ?? usualRunOf(breaker.min_calls),
  slowFactor: breaker.slow_factor,
  resetMs: breaker.reset,
  maxResetMs: breaker.max_reset,
  rampMs: recovery.ramp,
  checkMs: recovery.step_interval,
  firstShare: recovery.first_share,
})
