import { BatonError } from '../../domain/errors.ts'
import type { ApiScope } from '../http/api-scope.ts'
import type { ApiParts } from '../parts.ts'
import { mirrorView } from './mirror-view.ts'
import { pairView } from './pair-view.ts'

/** `GET /v1/mirrors`: what the mirror of each route that has one has shown; `…/:route/pairs`: which answers differed. */
export const addMirrorRoutes = (scope: ApiScope, { mirroredRoutes, mirrors }: ApiParts): void => {
  scope.get('/v1/mirrors', async () => {
    const data = await Promise.all(
      [...mirroredRoutes].map(async ([route, mirror]) => {
        const read = await mirrors.read({ route, to: mirror.to })
        return mirrorView({ route, mirror, ...read })
      }),
    )
    return { object: 'list', data }
  })

  scope.get<{ Params: { route: string } }>('/v1/mirrors/:route/pairs', async request => {
    const { route } = request.params
    const mirror = mirroredRoutes.get(route)
    if (!mirror)
      throw new BatonError('mirror_not_found', `There is no mirror of '${route}'.`, { param: 'route' })
    const { to, keepPairs } = mirror
    const pairs = keepPairs > 0 ? await mirrors.pairs({ route, to }, keepPairs) : []
    // What the whole route was answered is in the counters; what was said is its owner's alone.
    const own = pairs.filter(({ tenant }) => tenant === request.tenant)
    return { object: 'list', data: own.map(pair => pairView(route, pair)) }
  })
}
