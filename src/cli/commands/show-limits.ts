import { nearest } from '../../config/nearest.ts'
import type { Config, ProviderConfig } from '../../config/schema.ts'
import { type Demand, demandOn } from '../../domain/demand.ts'
import { renderTable } from '../../terminal/table.ts'
import { CommandError } from '../command-error.ts'
import { type Out, renderJson } from '../terminal.ts'

export interface ShowLimitsOptions {
  readonly provider: string
  readonly json: boolean
}

/** Shows a provider's configured limits beside the demand that the routes can send there. */
export const showLimits = (config: Config, options: ShowLimitsOptions, out: Out): number => {
  const { provider: name, json } = options
  const provider = Object.hasOwn(config.providers, name) ? config.providers[name] : undefined
  if (provider === undefined) throw unknownProvider(name, Object.keys(config.providers))
  const demand = demandOn(config, name)
  out(json ? renderJson(report(name, provider, demand)) : describe(name, provider, demand))
  return 0
}

export const unknownProvider = (name: string, known: readonly string[]): CommandError => {
  const suggestion = nearest(name, known)
  const hint = suggestion === undefined ? `known: ${known.join(', ')}` : `did you mean "${suggestion}"?`
  return new CommandError(
    `there is no provider "${name}" in the config; ${known.length > 0 ? hint : 'it has none'}`,
  )
}

const report = (name: string, { type, limits, concurrency }: ProviderConfig, demand: Demand) => ({
  provider: name,
  type,
  limits: { rpm: limits.rpm ?? null, tpm: limits.tpm ?? null, concurrency },
  demand: {
    first: demand.first,
    fallbacks: demand.fallbacks.map(({ route, after, capacity }) => ({ route, after, rpm: capacity.rpm })),
    fallback_rpm: demand.fallbackCapacity.rpm,
  },
})

const describe = (name: string, { type, limits, concurrency }: ProviderConfig, demand: Demand): string => {
  const { first, fallbacks, fallbackCapacity } = demand
  const rows = [
    ['requests per minute', String(limits.rpm ?? 'no limit')],
    ['tokens per minute', String(limits.tpm ?? 'no limit')],
    ['calls at once', `${concurrency} per worker process`],
    ['first choice of', first.join(', ') || 'no route'],
    ...fallbacks.map(({ route, after, capacity }) => [
      `fallback of ${route}`,
      `after ${after.join(', ')}: ${renderRpm(capacity.rpm)}`,
    ]),
    ...(fallbacks.length > 0 ? [['all fallbacks together', renderRpm(fallbackCapacity.rpm)]] : []),
  ]
  return `${name} (${type})\n${renderTable(rows.map(([label = '', text = '']) => [`  ${label}`, text]))}`
}

const renderRpm = (rpm: number | null): string =>
  rpm === null ? 'no limit on requests per minute' : `up to ${rpm} requests per minute`
