import type { Logger } from 'pino'
import { healthCheckOf } from '../src/config/provider-settings.ts'
import type { ProviderConfig } from '../src/config/schema.ts'
import type { AppContext } from '../src/context/context.ts'
import { createProviderCheck, longestCheckMs } from '../src/dispatch/check-provider.ts'
import { type CircuitSettings, usualRunOf } from '../src/domain/circuit-terms.ts'
import type { GateDeps } from '../src/health/open-gate.ts'

/** The health check of an idle provider; null where checks are off, or no route leads to the provider. */
export const healthCheckFor = (context: AppContext, name: string, log: Logger): GateDeps['check'] => {
  const { config, cooldowns, providers, keyRings, redact, routes, now } = context
  const settings = config.providers[name]!
  const check = healthCheckOf(settings)
  const target = [...routes.values()].flatMap(route => route.targets).find(t => t.provider === name)
  if (!check || !target) return null
  const keys = keyRings.get(name)!
  const { kind, intervalMs, model = target.model } = check
  const ask = createProviderCheck({
    provider: providers.get(name)!,
    ...{ keys, cooldowns, redact, log, now },
    model: kind === 'models' ? null : model,
    timeoutMs: Math.min(settings.timeout, longestCheckMs),
  })
  return { intervalMs, keylessUntil: keys.unavailableUntil, ask }
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
