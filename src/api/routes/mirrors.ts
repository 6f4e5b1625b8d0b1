import type { ApiScope } from '../api-scope.ts'
import { mirrorView } from '../mirror-view.ts'
import type { ApiParts } from '../parts.ts'

/** `GET /v1/mirrors`: what the mirror of each route that has one has shown. */
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
}
