import { resolveRoutes } from '../domain/chain.ts'
import { usedProviders } from './draft.ts'
import { type Fault, type Finding, toFault } from './fault.ts'
import type { Config } from './schema.ts'
import { needsKey } from './vendor-relations.ts'

/** What works, but perhaps not as was meant. */
export const configWarnings = (config: Config): Fault[] =>
  warningFindings(config).map(finding => toFault(finding))

export const warningFindings = (config: Config): Finding[] => [
  ...emptiness(config),
  ...oneProviderChains(config),
  ...unusedProviders(config),
]

const emptiness = ({ providers, models }: Config): Finding[] => {
  if (Object.keys(models).length > 0) return []
  const message =
    Object.keys(providers).length === 0
      ? 'no providers and no routes: the simulated providers will serve'
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
