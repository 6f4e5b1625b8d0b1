import type { Price } from '../usage.ts'
import type { Capabilities } from './capabilities.ts'

/** What is known of a model; absent means unknown. */
export interface ModelFacts {
  readonly upstream_model?: string | undefined
  readonly context_window?: number | undefined
  readonly max_output_tokens?: number | undefined
  readonly capabilities?: Capabilities | undefined
  readonly price?: Price | undefined
}

interface Route extends ModelFacts {
  readonly provider: string
  readonly fallback_to?: string | readonly string[] | undefined
}

/** What is known of a provider's model from elsewhere; the config wins over it, fact by fact. */
export type KnownModels = (provider: string, model: string) => ModelFacts | undefined

/** As much of the config as chains are made of. */
export interface RouteBook {
  readonly models: Readonly<Record<string, Route>>
  readonly providers: Readonly<Record<string, { readonly models: Readonly<Record<string, ModelFacts>> }>>
}

/** One target of a route, with what is known of it. */
export interface RouteTarget {
  /** The route that brought this target into the chain. */
  readonly route: string
  readonly provider: string
  /** The model's name at the provider. */
  readonly model: string
  /** Tokens of prompt and answer together. */
  readonly contextWindow?: number
  readonly maxOutputTokens?: number
  readonly capabilities?: Capabilities
  readonly price?: Price
}

/**
 * The targets of a route in the order they are tried: its own, then those of each fallback in turn, each
 * followed by its own fallbacks. A route or target met again is left out, so loops end; unknown names are
 * passed over.
 */
export const chainOf = (
  book: RouteBook,
  name: string,
  known: KnownModels = nothingKnown,
): readonly RouteTarget[] => {
  const visited = new Set<string>()
  const targets = new Map<string, RouteTarget>()
  const visit = (routeName: string): void => {
    const route = own(book.models, routeName)
    if (route === undefined || visited.has(routeName)) return
    visited.add(routeName)
    const target = targetOf(book, routeName, route, known)
    // Provider names hold no slash, so this cannot confuse two targets.
    const key = `${target.provider}/${target.model}`
    if (!targets.has(key)) targets.set(key, target)
    for (const next of fallbacksOf(route)) visit(next)
  }
  visit(name)
  return [...targets.values()]
}

/** Every route's chain. A map, so that a client's model name can never reach an object's prototype. */
export const resolveRoutes = (
  book: RouteBook,
  known: KnownModels = nothingKnown,
): Map<string, readonly RouteTarget[]> =>
  new Map(Object.keys(book.models).map(name => [name, chainOf(book, name, known)]))

/** Each way in which routes fall back to themselves, closed: `['a', 'b', 'a']`. */
export const findLoops = (
  routes: Readonly<Record<string, Pick<Route, 'fallback_to'>>>,
): readonly (readonly string[])[] => {
  const loops: string[][] = []
  const finished = new Set<string>()
  const follow = (name: string, trail: readonly string[]): void => {
    const route = own(routes, name)
    if (route === undefined || finished.has(name)) return
    const start = trail.indexOf(name)
    if (start >= 0) {
      loops.push([...trail.slice(start), name])
      return
    }
    for (const next of fallbacksOf(route)) follow(next, [...trail, name])
    finished.add(name)
  }
  for (const name of Object.keys(routes)) follow(name, [])
  return loops
}

/** The provider's own entry for the model of a route: by the upstream name, else by the route's. */
export const modelEntryOf = <Entry>(
  entries: Readonly<Record<string, Entry>>,
  routeName: string,
  upstreamModel: string | undefined,
): Entry | undefined =>
  (upstreamModel === undefined ? undefined : own(entries, upstreamModel)) ?? own(entries, routeName)

const nothingKnown: KnownModels = () => undefined

const targetOf = (book: RouteBook, routeName: string, route: Route, known: KnownModels): RouteTarget => {
  const entries = own(book.providers, route.provider)?.models ?? {}
  const entry = modelEntryOf(entries, routeName, route.upstream_model)
  const model = route.upstream_model ?? entry?.upstream_model ?? routeName
  const elsewhere = known(route.provider, model)
  const contextWindow = route.context_window ?? entry?.context_window ?? elsewhere?.context_window
  const maxOutputTokens = route.max_output_tokens ?? entry?.max_output_tokens ?? elsewhere?.max_output_tokens
  const capabilities =
    route.capabilities || entry?.capabilities ? { ...entry?.capabilities, ...route.capabilities } : undefined
  const price = route.price ?? entry?.price ?? elsewhere?.price
  return {
    route: routeName,
    provider: route.provider,
    model,
    ...(contextWindow !== undefined && { contextWindow }),
    ...(maxOutputTokens !== undefined && { maxOutputTokens }),
    ...(capabilities !== undefined && { capabilities }),
    ...(price !== undefined && { price }),
  }
}

const fallbacksOf = ({ fallback_to }: Pick<Route, 'fallback_to'>): readonly string[] =>
  typeof fallback_to === 'string' ? [fallback_to] : (fallback_to ?? [])

const own = <Value>(record: Readonly<Record<string, Value>>, key: string): Value | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined
