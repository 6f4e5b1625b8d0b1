import type { Endpoint } from '../domain/endpoint.ts'
import { measuredOf } from '../domain/kept-target.ts'
import type { RequestHeaders } from '../domain/request-headers.ts'
import type { AdjustPolicy } from '../domain/routing/adjustments.ts'
import type { RouteTarget } from '../domain/routing/chain.ts'
import type { Request } from '../domain/routing/eligible-targets.ts'
import type { Home } from '../domain/routing/kept-state.ts'
import type { Strategy } from '../domain/routing/strategy.ts'
import type { Provider } from '../providers/provider.ts'

export interface Route {
  /** The name that its jobs go by, where it was asked for by another one of its names. */
  readonly name?: string
  readonly targets: readonly RouteTarget[]
  readonly strategy: Strategy
  /** Shares by route or provider; null without any. */
  readonly weights: ReadonlyMap<string, number> | null
  readonly refusalHandsOver: boolean
  readonly adjust: AdjustPolicy
  /** Null for what follows from the job: see `patienceOf`. */
  readonly patienceMs: number | null
}

/** The models that routes ask a provider for, in the order of the routes; those of wildcards together as `*`. */
export const modelsAt = (
  routes: ReadonlyMap<string, Pick<Route, 'targets'>>,
  provider: string,
): readonly string[] => {
  const targets = [...routes.values()].flatMap(route => route.targets)
  return [
    ...new Set(targets.flatMap(target => (target.provider === provider ? measuredOf(target).model : []))),
  ]
}

export type Routes = ReadonlyMap<string, Route>
export type Providers = ReadonlyMap<string, Provider>

/** The targets at the account that a request depends on. */
export const atAccount = (route: Route, home: Pick<Home, 'provider'> | null): Route =>
  home === null
    ? route
    : { ...route, targets: route.targets.filter(({ provider }) => provider === home.provider) }

/** The route of a job that this process has not heard of: its target is known all the same. */
export const singleTargetRoute = (target: RouteTarget, adjust: AdjustPolicy = 'last_resort'): Route => ({
  targets: [target],
  strategy: 'ordered',
  weights: null,
  refusalHandsOver: false,
  adjust,
  patienceMs: null,
})

/** The request of a job as its record has it. */
export const requestOf = (endpoint: Endpoint, text: string, headers: RequestHeaders): Request => ({
  endpoint,
  text,
  headers,
  body: () => JSON.parse(text) as unknown,
})
