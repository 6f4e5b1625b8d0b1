import type { RouteTarget } from '../domain/chain.ts'
import type { Endpoint } from '../domain/endpoint.ts'
import type { Provider } from '../providers/provider.ts'

export interface Route {
  readonly targets: readonly RouteTarget[]
  readonly refusalHandsOver: boolean
}

export type Routes = ReadonlyMap<string, Route>
export type Providers = ReadonlyMap<string, Provider>

export interface Carriers {
  readonly targets: readonly RouteTarget[]
  /** Parameters that kept targets out, to be told when none is left. */
  readonly cannotCarry: readonly string[]
}

/**
 * The route's targets that can serve this request whole. `body` is asked for only when a target would have to
 * translate it: parsing a long prompt is the dearest thing a worker could do for nothing.
 */
export const carriersOf = (
  route: Route,
  providers: Providers,
  endpoint: Endpoint,
  body: () => unknown,
): Carriers => {
  const obstacles = new Set<string>()
  let parsed: unknown
  const canCarry = (target: RouteTarget): boolean => {
    const provider = providers.get(target.provider)
    const how = provider?.serves(endpoint) ?? 'none'
    if (how !== 'translated') return how === 'native'
    parsed ??= body()
    const missing = provider!.cannotCarry(endpoint, parsed)
    for (const name of missing) obstacles.add(name)
    return missing.length === 0
  }
  return { targets: route.targets.filter(canCarry), cannotCarry: [...obstacles] }
}
