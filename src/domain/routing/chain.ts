import type { Price } from '../usage.ts'
import type { Capabilities } from './capabilities.ts'
import { anyModel, filled, isStar, isWildcard, matchWildcard } from './wildcards.ts'

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

/** Whether a provider has answered a model that only wildcards lead to. */
export type IsAnswered = (provider: string, model: string) => boolean

/** As much of the config as chains are made of. */
export interface RouteBook {
  /** Routes, also those of names with a star. */
  readonly models: Readonly<Record<string, Route>>
  /** Other names of routes. */
  readonly aliases?: Readonly<Record<string, string>>
  readonly providers: Readonly<Record<string, { readonly models: Readonly<Record<string, ModelFacts>> }>>
}

/** One target of a route, with what is known of it. */
export interface RouteTarget {
  /** The route that brought this target into the chain. */
  readonly route: string
  readonly provider: string
  /** The model's name at the provider. */
  readonly model: string
  /** Where a client chose the model's name: by which its measures go, and, until its provider has answered it, its health and limits. */
  readonly measuredAs?: string
  readonly keptAs?: string
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
  isAnswered: IsAnswered = nothingAnswered,
): readonly RouteTarget[] => {
  const visited = new Set<string>()
  const targets = new Map<string, RouteTarget>()
  const visit = (routeName: string): void => {
    const found = routeFor(book, routeName)
    // By its name in the book: what a star stands for could grow with each round of a loop.
    if (found === undefined || visited.has(found.name)) return
    visited.add(found.name)
    const { route, star } = found
    const target = targetOf(book, found, known, isAnswered)
    // Provider names hold no slash, so this cannot confuse two targets.
    const key = `${target.provider}/${target.model}`
    if (isCallable(book, target) && !targets.has(key)) targets.set(key, target)
    for (const next of fallbacksOf(route)) visit(filled(next, star))
  }
  visit(name)
  return [...targets.values()]
}

interface FoundRoute<Found = Route> {
  /** As the book has it. */
  readonly name: string
  readonly route: Found
  /** What a client put for the star of its name; the star itself where no client asks. Null for a name without one. */
  readonly star: string | null
}

/** As much of a config as names are looked up in. */
interface RouteNames<Found> {
  readonly models: Readonly<Record<string, Found>>
  readonly aliases?: Readonly<Record<string, string | undefined>>
}

/** The route of a name: its own, that of an alias, or the wildcard that says most of it. */
export const routeFor = <Found>(
  { models, aliases = {} }: RouteNames<Found>,
  name: string,
): FoundRoute<Found> | undefined => {
  const alias = own(models, name) === undefined ? own(aliases, name) : undefined
  const real = alias ?? name
  const route = own(models, real)
  if (route !== undefined) return { name: real, route, star: isWildcard(real) ? anyModel : null }
  const match = matchWildcard(Object.keys(models).filter(isWildcard), real)
  if (match === null || !(isStar(match.star) || isWildcard(real))) return undefined
  return { name: match.pattern, route: models[match.pattern]!, star: match.star }
}

/** A provider that lists its models takes no others. What no client has named yet is not looked for. */
const isCallable = ({ providers }: RouteBook, { provider, model, measuredAs }: RouteTarget): boolean => {
  const entries = own(providers, provider)?.models ?? {}
  return measuredAs === undefined || isWildcard(model) || Object.keys(entries).length === 0
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
    for (const next of fallbacksOf(route)) follow(bookName(routes, next), [...trail, name])
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
const nothingAnswered: IsAnswered = () => false

/** Loops lead from name to name as the book has them. */
const bookName = (routes: Readonly<Record<string, Pick<Route, 'fallback_to'>>>, name: string): string =>
  own(routes, name) === undefined
    ? (matchWildcard(Object.keys(routes).filter(isWildcard), name)?.pattern ?? name)
    : name

/** The name of a model that the config has: in a route without a star, or among its provider's models. */
const isNamed = (book: RouteBook, provider: string, model: string): boolean =>
  own(own(book.providers, provider)?.models ?? {}, model) !== undefined ||
  Object.entries(book.models).some(
    ([name, route]) =>
      route.provider === provider && !isWildcard(name) && (route.upstream_model ?? name) === model,
  )

const targetOf = (
  book: RouteBook,
  { name, route, star }: FoundRoute,
  known: KnownModels,
  isAnswered: IsAnswered,
): RouteTarget => {
  const entries = own(book.providers, route.provider)?.models ?? {}
  // The star's part is the model; where the route says how it is named upstream, that may have a star as well.
  const asked = star === null ? name : filled(route.upstream_model ?? anyModel, star)
  const named = star === null ? route.upstream_model : undefined
  const entry = modelEntryOf(entries, asked, named)
  const model = named ?? entry?.upstream_model ?? asked
  const isShared = star !== null && !isNamed(book, route.provider, model)
  const elsewhere = known(route.provider, model)
  const contextWindow = route.context_window ?? entry?.context_window ?? elsewhere?.context_window
  const maxOutputTokens = route.max_output_tokens ?? entry?.max_output_tokens ?? elsewhere?.max_output_tokens
  const capabilities =
    route.capabilities || entry?.capabilities ? { ...entry?.capabilities, ...route.capabilities } : undefined
  const price = route.price ?? entry?.price ?? elsewhere?.price
  return {
    route: name,
    provider: route.provider,
    model,
    ...(isShared && { measuredAs: anyModel }),
    ...(isShared && !isAnswered(route.provider, model) && { keptAs: anyModel }),
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
