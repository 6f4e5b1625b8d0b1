import type { RouteTarget } from '../../domain/chain.ts'
import { circuitOf, shutUntil } from '../../domain/circuit.ts'
import { unmannedForMs } from '../../health/worker-liveness.ts'
import type { ApiScope } from '../http/api-scope.ts'
import type { ApiParts } from '../parts.ts'
import { routeView } from './route-view.ts'

/** `GET /v1/routes`: how each route chooses, and what it knows of its targets. */
export const addRouteListRoute = (scope: ApiScope, parts: ApiParts): void => {
  const { routes, cooldowns, circuits, figuresOf, unmannedSince, now } = parts
  /** Without the draw that lets a share of jobs through to a provider on its way back. */
  const availableAt = (target: RouteTarget): number =>
    cooldowns.unavailableUntil(target) ||
    (unmannedSince(target.provider) > 0 && now() + unmannedForMs) ||
    shutUntil(circuits.of(target.provider), now()) ||
    shutUntil(circuits.of(circuitOf(target)), now())

  scope.get('/v1/routes', async () => ({
    object: 'list',
    data: [...routes].map(([name, route]) => routeView({ name, route, figuresOf, availableAt })),
  }))
}
