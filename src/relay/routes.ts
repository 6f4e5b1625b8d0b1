import { ableOf, type Request } from '../domain/able.ts'
import type { Capability } from '../domain/capabilities.ts'
import type { RouteTarget } from '../domain/chain.ts'
import type { Endpoint } from '../domain/endpoint.ts'
import type { Strategy } from '../domain/strategy.ts'
import type { Provider } from '../providers/provider.ts'

export interface Route {
  readonly targets: readonly RouteTarget[]
  readonly strategy: Strategy
  /** Shares by route or provider; null without any. */
  readonly weights: ReadonlyMap<string, number> | null
  readonly refusalHandsOver: boolean
}

/** The models that routes ask a provider for, in the order of the routes. */
export const modelsAt = (
  routes: ReadonlyMap<string, Pick<Route, 'targets'>>,
  provider: string,
): readonly string[] => {
  const targets = [...routes.values()].flatMap(route => route.targets)
  return [...new Set(targets.flatMap(target => (target.provider === provider ? target.model : [])))]
}

export type Routes = ReadonlyMap<string, Route>
export type Providers = ReadonlyMap<string, Provider>

export interface Carriers {
  readonly targets: readonly RouteTarget[]
  /** Parameters that kept targets out, to be told when none is left. */
  readonly cannotCarry: readonly string[]
  /** The same of what models cannot do. */
  readonly lacking: readonly Capability[]
}

/**
 * The route's targets that can serve this request whole. The body is parsed only when a target would have to
 * translate it, or might lack what it needs: parsing a long prompt is the dearest thing a worker could do for nothing.
 */
export const carriersOf = (route: Route, providers: Providers, request: Request): Carriers => {
  const { endpoint } = request
  const body = once(request.body)
  const obstacles = new Set<string>()
  const canCarry = (target: RouteTarget): boolean => {
    const provider = providers.get(target.provider)
    const how = provider?.serves(endpoint) ?? 'none'
    if (how !== 'translated') return how === 'native'
    const { excluded: never, adjustments } = provider!.carriage(endpoint, target.model, body())
    const excluded = [...never, ...adjustments.map(({ field }) => field)]
    for (const name of excluded) obstacles.add(name)
    return excluded.length === 0
  }
  const carriers = route.targets.filter(canCarry)
  return { cannotCarry: [...obstacles], ...ableOf(carriers, { ...request, body }) }
}

/** The route of a job that this process has not heard of: its target is known all the same. */
export const loneRoute = (target: RouteTarget): Route => ({
  targets: [target],
  strategy: 'ordered',
  weights: null,
  refusalHandsOver: false,
})

/** The request of a job as its record has it. */
export const requestOf = (endpoint: Endpoint, text: string): Request => ({
  endpoint,
  text,
  body: () => JSON.parse(text) as unknown,
})

const once = <Value>(make: () => Value): (() => Value) => {
  let made: { readonly value: Value } | null = null
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
