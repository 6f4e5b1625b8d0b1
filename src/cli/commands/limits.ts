import { didYouMean } from '../../config/did-you-mean.ts'
import type { Config, ProviderConfig } from '../../config/schema.ts'
import { type Demand, demandOn } from '../../domain/planning/demand.ts'
import { renderTable } from '../../terminal/format.ts'
import type { ApiOptions } from '../api-address.ts'
import { CommandError, type CommandIo, renderJson } from '../command-io.ts'
import { askSeenLimits, type SeenLimits, seenRows } from '../seen-limits.ts'

export interface LimitsOptions extends ApiOptions {
  readonly provider: string
  readonly json: boolean
}

/**
 * Shows a provider's limits, configured and last seen, beside the demand that the routes can send there. What was seen it asks of a
 * running API; it does without when there is none.
 */
export const showLimits = async (
  config: Config,
  options: LimitsOptions,
  terminal: CommandIo,
): Promise<number> => {
  const { provider: name, json } = options
  const provider = Object.hasOwn(config.providers, name) ? config.providers[name] : undefined
  if (provider === undefined) throw unknownProvider(name, Object.keys(config.providers))
  const demand = demandOn(config, name)
  const seen = await askSeenLimits(name, options, terminal)
  terminal.out(
    json ? renderJson(report(name, provider, demand, seen)) : describe(name, provider, demand, seen),
  )
  return 0
}

export const unknownProvider = (name: string, known: readonly string[]): CommandError => {
  const suggestion = didYouMean(name, known)
  const hint = suggestion === undefined ? `known: ${known.join(', ')}` : `did you mean "${suggestion}"?`
  return new CommandError(
    `there is no provider "${name}" in the config; ${known.length > 0 ? hint : 'it has none'}`,
  )
}

type Seen = readonly SeenLimits[] | Error

const report = (name: string, { type, limits, concurrency }: ProviderConfig, demand: Demand, seen: Seen) => ({
  provider: name,
  type,
  limits: {
    rpm: limits.rpm ?? null,
    tpm: limits.tpm ?? null,
    concurrency: limits.concurrency ?? null,
    worker_concurrency: concurrency,
  },
  seen: seen instanceof Error ? null : seen,
  demand: {
    first: demand.first,
    fallbacks: demand.fallbacks.map(({ route, after, capacity }) => ({ route, after, rpm: capacity.rpm })),
    fallback_rpm: demand.fallbackCapacity.rpm,
  },
})

const describe = (
  name: string,
  { type, limits, concurrency }: ProviderConfig,
  demand: Demand,
  seen: Seen,
): string => {
  const { first, fallbacks, fallbackCapacity } = demand
  const rows = [
    ['requests per minute', String(limits.rpm ?? 'no limit')],
    ['tokens per minute', String(limits.tpm ?? 'no limit')],
    [
      'calls at once',
      `${limits.concurrency === undefined ? '' : `${limits.concurrency} in all, `}${concurrency === 'auto' ? 'as many as turn out to be of use' : `${concurrency} per worker process`}`,
    ],
    ...seenRows(seen),
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
