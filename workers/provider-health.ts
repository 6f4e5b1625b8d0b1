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
  const targets = [...routes.values()].flatMap(route => route.targets).filter(t => t.provider === name)
  // What a wildcard leads to has no name of its own to be asked for.
  const named = targets.find(({ keptAs }) => keptAs === undefined)
  if (!check || targets.length === 0) return null
  const keys = keyRings.get(name)!
  const { kind, intervalMs, model = named?.model } = check
  if (kind === 'completion' && model === undefined) return null
  const ask = createProviderCheck({
    provider: providers.get(name)!,
    ...{ keys, cooldowns, redact, log, now },
    model: kind === 'models' ? null : (model ?? null),
    timeoutMs: Math.min(settings.timeout, longestCheckMs),
  })
  return { intervalMs, keylessUntil: keys.unavailableUntil, ask }
}
