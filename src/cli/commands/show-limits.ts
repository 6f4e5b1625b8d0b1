import { nearest } from '../../config/nearest.ts'
import type { Config, ProviderConfig } from '../../config/schema.ts'
import { type RouteTarget, resolveRoutes } from '../../domain/chain.ts'
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

const unknownProvider = (name: string, known: readonly string[]): CommandError => {
  const suggestion = nearest(name, known)
  const hint = suggestion === undefined ? `known: ${known.join(', ')}` : `did you mean "${suggestion}"?`
  return new CommandError(
    `there is no provider "${name}" in the config; ${known.length > 0 ? hint : 'it has none'}`,
  )
}

interface Fallback {
  readonly route: string
  /** The providers tried before. */
  readonly after: readonly string[]
  /** What they may serve together, in requests a minute, all of which comes here when they fail; null: unlimited. */
  readonly rpm: number | null
}

interface Demand {
  readonly first: readonly string[]
  readonly fallbacks: readonly Fallback[]
  /** The rpm of all providers that can fall over to this one, each counted once. */
  readonly fallbackRpm: number | null
}

const demandOn = (config: Config, name: string): Demand => {
  const rpmOf = (providers: Iterable<string>): number | null =>
    [...providers].reduce<number | null>((sum, provider) => {
      const rpm = config.providers[provider]?.limits.rpm
      return sum === null || rpm === undefined ? null : sum + rpm
    }, 0)

  const first: string[] = []
  const fallbacks: Fallback[] = []
  for (const [route, chain] of resolveRoutes(config)) {
    const position = chain.findIndex(({ provider }) => provider === name)
    if (position === 0) first.push(route)
    if (position > 0) {
      const after = providersOf(chain.slice(0, position))
      fallbacks.push({ route, after, rpm: rpmOf(after) })
    }
  }
  return { first, fallbacks, fallbackRpm: rpmOf(new Set(fallbacks.flatMap(({ after }) => after))) }
}

const providersOf = (chain: readonly RouteTarget[]): string[] => [
  ...new Set(chain.map(({ provider }) => provider)),
]

const report = (name: string, { type, limits, concurrency }: ProviderConfig, demand: Demand) => ({
  provider: name,
  type,
  limits: { rpm: limits.rpm ?? null, tpm: limits.tpm ?? null, concurrency },
  demand: {
    first: demand.first,
    fallbacks: demand.fallbacks,
    fallback_rpm: demand.fallbackRpm,
  },
})

const describe = (name: string, { type, limits, concurrency }: ProviderConfig, demand: Demand): string => {
  const { first, fallbacks, fallbackRpm } = demand
  const rows = [
    ['requests per minute', String(limits.rpm ?? 'no limit')],
    ['tokens per minute', String(limits.tpm ?? 'no limit')],
    ['calls at once', `${concurrency} per worker process`],
    ['first choice of', first.join(', ') || 'no route'],
    ...fallbacks.map(({ route, after, rpm }) => [
      `fallback of ${route}`,
      `after ${after.join(', ')}: ${renderRpm(rpm)}`,
    ]),
    ...(fallbacks.length > 0 ? [['all fallbacks together', renderRpm(fallbackRpm)]] : []),
  ]
  return `${name} (${type})\n${renderTable(rows.map(([label = '', text = '']) => [`  ${label}`, text]))}`
}

const renderRpm = (rpm: number | null): string =>
  rpm === null ? 'no limit on requests per minute' : `up to ${rpm} requests per minute`
