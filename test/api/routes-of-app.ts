import type { TestApi } from './test-api.ts'

/** `POST /v1/jobs/:id/cancel` and so on, as the router prints its tree; without `/docs`, which is a page and no part of the API. */
export const routesOfApp = ({ app }: Pick<TestApi, 'app'>): string[] => {
  const stems: string[] = []
  return app
    .printRoutes({ commonPrefix: false })
    .split('\n')
    .flatMap(line => {
      const [, lead, path, methods = ''] = /^((?:[│ ] {3})*)[├└]── (\S+)(?: \((.*)\))?$/.exec(line) ?? []
      if (path === undefined) return []
      const depth = lead!.length / 4
      stems.splice(depth, Number.POSITIVE_INFINITY, path)
      const names = methods.split(', ').filter(name => name !== '' && name !== 'HEAD')
      // A wildcard is printed without the slash before it.
      return names.map(method => `${method} ${stems.join('').replace(/(?<!\/)\*/, '/*')}`)
    })
    .filter(route => !route.startsWith('GET /docs'))
}
