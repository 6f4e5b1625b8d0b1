import { chainOf, modelEntryOf } from '../domain/routing/chain.ts'
import { didYouMean } from './did-you-mean.ts'
import type { Draft, DraftRoute } from './draft.ts'
import type { Finding, Path } from './fault.ts'

/** What the defaults of the schema are: a draft has what is written alone. */
const cacheDefaults = { max_bytes: 256 * 1024, max_total_bytes: 64 * 1024 * 1024 }
/** Answers of a route are spread over so many parts, by chance, each with its part of the room. */
const parts = 16

/** What is wrong with what a route does beside answering. */
export const asideFindings = (draft: Draft, name: string, route: DraftRoute): Finding[] => [
  ...cacheFindings(['models', name, 'cache'], route.cache),
  ...mirrorFindings(draft, name, route),
]

const cacheFindings = (path: Path, cache: DraftRoute['cache']): Finding[] => {
  if (cache === undefined) return []
  const most = cache.max_bytes ?? cacheDefaults.max_bytes
  const total = cache.max_total_bytes ?? cacheDefaults.max_total_bytes
  if (total >= most * parts) return []
  const message = `is too little: answers of max_bytes (${most}) need at least ${most * parts}`
  return [{ code: 'relation', path: [...path, 'max_total_bytes'], message }]
}

const mirrorFindings = (draft: Draft, name: string, route: DraftRoute): Finding[] => {
  const to = route.mirror?.to
  if (to === undefined) return []
  const fault = (message: string, suggestion?: string): Finding[] => [
    { code: 'relation', path: ['models', name, 'mirror', 'to'], message, suggestion },
  ]
  const slash = to.indexOf('/')
  const provider = to.slice(0, slash)
  const isRoute = Object.hasOwn(draft.models, to)
  if (!isRoute && !(slash > 0 && Object.hasOwn(draft.providers, provider))) {
    const what = slash > 0 ? `neither a route "${to}" nor a provider "${provider}"` : `no route "${to}"`
    return fault(`there is ${what}`, didYouMean(to, Object.keys(draft.models)))
  }
  if (!isRoute) {
    const entries = draft.providers[provider]!.models
    const model = to.slice(slash + 1)
    // A provider that lists no models takes any.
    if (Object.keys(entries).length > 0 && modelEntryOf(entries, model, undefined) === undefined)
      return fault(`provider "${provider}" does not list the model "${model}"`)
  }
  const mirrored = isRoute
    ? placeOf(draft, to, draft.models[to]!)
    : placeOf(draft, to.slice(slash + 1), { provider })
  return mirrored === placeOf(draft, name, route)
    ? fault('is where the route itself leads: there would be nothing to compare')
    : []
}

/** Which model of which provider a route asks first. */
const placeOf = (draft: Draft, name: string, { provider, upstream_model }: DraftRoute): string => {
  const entries = draft.providers[provider ?? '']?.models ?? {}
  const entry = modelEntryOf(entries, name, upstream_model)
  return `${provider}/${upstream_model ?? entry?.upstream_model ?? name}`
}

/** What is wrong between a route's strategy, its weights and its chain. */
export const strategyFindings = (draft: Draft, name: string, route: DraftRoute): Finding[] => {
  const { strategy, weights } = route
  if (weights === undefined) return []
  const path: Path = ['models', name, 'weights']
  const relation = (at: Path, message: string, suggestion?: string): Finding => ({
    code: 'relation',
    path: at,
    message,
    suggestion,
  })
  if (strategy !== 'weighted') return [relation(path, 'is of no use without strategy: weighted')]
  const members = membersOf(draft, name)
  const strangers = Object.keys(weights).filter(member => !members.has(member))
  if (strangers.length > 0) {
    return strangers.map(stranger =>
      relation(
        [...path, stranger],
        'no such route or provider in this chain',
        didYouMean(stranger, [...members]),
      ),
    )
  }
  const sum = Object.values(weights).reduce((total: number, weight) => total + (weight ?? 0), 0)
  return sum > 0 ? [] : [relation(path, 'add up to 0: no target would have a share')]
}

/** By these names a target of the chain can be given its weight. */
const membersOf = ({ models }: Draft, name: string): ReadonlySet<string> => {
  const whole = Object.entries(models).flatMap(([route, { provider, ...rest }]) =>
    provider === undefined ? [] : [[route, { ...rest, provider }] as const],
  )
  const chain = chainOf({ models: Object.fromEntries(whole), providers: {} }, name)
  return new Set(chain.flatMap(({ route, provider }) => [route, provider]))
}
