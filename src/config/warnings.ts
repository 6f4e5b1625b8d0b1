import { type Capacity, capacityOf, type Demand, demandOn } from '../domain/planning/demand.ts'
import { chainOf, resolveRoutes } from '../domain/routing/chain.ts'
import { isWildcard } from '../domain/routing/wildcards.ts'
import { usedProviders } from './draft.ts'
import { type Fault, type Finding, toFault } from './fault.ts'
import { knownModels } from './known-models.ts'
import type { Config } from './schema.ts'
import { clientTimeoutMs, syncGraceMs } from './schema.ts'
import { needsKey } from './vendor-checks.ts'

/** What works, but perhaps not as was meant. */
export const configWarnings = (config: Config): Fault[] =>
  warningFindings(config).map(finding => toFault(finding))

export const warningFindings = (config: Config): Finding[] => [
  ...emptiness(config),
  ...oneProviderChains(config),
  ...unusedProviders(config),
  ...lowFallbackLimits(config),
  ...unpricedTargets(config),
  ...uncountableTargets(config),
  ...sharedMirrors(config),
  ...longSyncTimeout(config),
]

const emptiness = ({ providers, models }: Config): Finding[] => {
  if (Object.keys(models).length > 0) return []
  const message =
    Object.keys(providers).length === 0
      ? 'no providers and no routes: the simulated providers will serve, and every answer is made up'
      : 'no routes: no model can be asked for'
  return [{ code: 'nothing_configured', path: ['models'], message }]
}

const oneProviderChains = (config: Config): Finding[] =>
  [...resolveRoutes(config)].flatMap(([route, chain]) => {
    const [first, ...others] = new Set(chain.map(({ provider }) => provider))
    if (first === undefined || others.length > 0) return []
    const message = `only ${first} can answer: no failover`
    return { code: 'one_provider_chain', path: ['models', route], message }
  })

const unusedProviders = ({ providers, models }: Config): Finding[] => {
  const used = usedProviders(models)
  return Object.entries(providers).flatMap(([name, { type, api_key, api_keys }]): Finding[] => {
    if (used.has(name)) return []
    const path = ['providers', name]
    const unused: Finding = { code: 'unused_provider', path, message: 'no route leads to this provider' }
    const keyless = needsKey(type) && api_key === undefined && api_keys === undefined
    return keyless ? [unused, { code: 'missing_key', path, message: 'its key is missing' }] : [unused]
  })
}

const measures = [
  ['rpm', 'requests'],
  ['tpm', 'tokens'],
] as const

/**
 * A fallback with lower limits than the targets before it: when they fail, the excess gets 429s, moves on or
 * waits.
 */
const lowFallbackLimits = (config: Config): Finding[] =>
  Object.entries(config.providers).flatMap(([name, provider]) => {
    const demand = demandOn(config, name)
    const own = capacityOf(provider)
    return measures.flatMap(([measure, unit]): Finding[] => {
      const limit = own[measure]
      if (limit === null || demand.fallbacks.length === 0) return []
      const arriving = demand.fallbackCapacity[measure]
      if (arriving !== null && arriving <= limit) return []
      const path = ['providers', name, 'limits', measure]
      const message = `${limit} ${unit} a minute, but ${describeArriving(config, demand, measure)}`
      return [{ code: 'fallback_limit', path, message }]
    })
  })

const describeArriving = (config: Config, demand: Demand, measure: keyof Capacity): string => {
  const arriving = demand.fallbackCapacity[measure]
  const limitOf = (name: string): number | null => capacityOf(config.providers[name]!)[measure]
  const senders = demand.before.map(name => `${name} (${limitOf(name) ?? 'no limit set'})`)
  const routes = demand.fallbacks.map(({ route }) => route)
  const amount = arriving === null ? 'any number' : `up to ${arriving}`
  return `${amount} can come from ${listed(senders)} (${routes.length > 1 ? 'routes' : 'route'} ${routes.join(', ')})`
}

const listed = (words: readonly string[]): string =>
  words.length > 1 ? `${words.slice(0, -1).join(', ')} and ${words.at(-1)} together` : (words[0] ?? '')

/** Looked up only where it matters: the tables take their time to load. */
const unpricedTargets = (config: Config): Finding[] => {
  const names = Object.keys(config.models).filter(
    name => !isWildcard(name) && config.models[name]!.strategy === 'cheapest',
  )
  return names.flatMap((name): Finding[] => {
    const chain = chainOf(config, name, knownModels(config))
    const unpriced = chain.filter(({ price }) => price === undefined)
    if (unpriced.length === 0) return []
    const message =
      unpriced.length === chain.length
        ? 'cheapest, but no price is known: they are asked in the order of the chain'
        : `cheapest, but no price is known of ${unpriced.map(({ provider, model }) => `${provider}/${model}`).join(', ')}: asked last`
    return [{ code: 'unknown_price', path: ['models', name, 'strategy'], message }]
  })
}

/** Such a batch is refused, and the reason should be known before. */
const uncountableTargets = (config: Config): Finding[] => {
  if (config.batches.max_cost_usd === undefined) return []
  return Object.keys(config.models).flatMap((name): Finding[] => {
    if (isWildcard(name)) return []
    const unpriced = chainOf(config, name, knownModels(config)).filter(({ price }) => price === undefined)
    if (unpriced.length === 0) return []
    const targets = unpriced.map(({ provider, model }) => `${provider}/${model}`).join(', ')
    const message = `no price is known of ${targets}: with batches.max_cost_usd no batch may use this route`
    return [{ code: 'unknown_price', path: ['models', name, 'price'], message }]
  })
}

/**
 * A mirror's calls are calls like others: they use the limits of their provider, and their failures count
 * there.
 */
const sharedMirrors = (config: Config): Finding[] =>
  Object.entries(config.models).flatMap(([name, { mirror }]): Finding[] => {
    if (mirror === undefined) return []
    const isRoute = Object.hasOwn(config.models, mirror.to)
    const provider = isRoute ? config.models[mirror.to]!.provider : mirror.to.split('/', 1)[0]!
    if (!chainOf(config, name).some(target => target.provider === provider)) return []
    const message = `${provider} also answers this route: its limits and its health are shared with the samples`
    return [{ code: 'shared_mirror', path: ['models', name, 'mirror', 'to'], message }]
  })

/** A client that has given up sends its request again, and both are paid for. */
const longSyncTimeout = ({ jobs }: Config): Finding[] =>
  jobs.sync_timeout + syncGraceMs < clientTimeoutMs
    ? []
    : [
        {
          code: 'long_sync_timeout',
          path: ['jobs', 'sync_timeout'],
          message: `the official clients give up after ${clientTimeoutMs / 1_000} s, unless told otherwise: the answer could come too late`,
        },
      ]
