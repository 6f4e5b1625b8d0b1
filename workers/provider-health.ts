import type { Logger } from 'pino'
import { healthCheckOf } from '../src/config/provider-settings.ts'
import type { AppContext } from '../src/context/context.ts'
import { createProviderCheck, longestCheckMs } from '../src/dispatch/check-provider.ts'
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
