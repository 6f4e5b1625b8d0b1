import type { FastifyInstance } from 'fastify'

/** Takes note of every route from now on; answers which methods a path takes, none when there is no such path. */
export const collectMethods = (app: FastifyInstance): ((url: string) => readonly string[]) => {
  const methodsOf = new Map<string, Set<string>>()
  app.addHook('onRoute', ({ url, method }) => {
    const known = methodsOf.get(url) ?? new Set()
    for (const name of [method].flat()) known.add(name)
    methodsOf.set(url, known)
  })
  return url => {
    // The path may come as a whole URL, which the router understands.
    const path = url.replace(/^https?:\/\/[^/]*/, '').split(/[?#]/, 1)[0]!
    const matching = [...methodsOf].filter(([pattern]) => expressionOf(pattern).test(path))
    return [...new Set(matching.flatMap(([, methods]) => [...methods]))]
  }
}

/** Of a route's pattern, such as `/v1/jobs/:id`; only asked for on the way to an error. */
const expressionOf = (pattern: string): RegExp =>
  new RegExp(`^${pattern.replace(/[.]/g, '\\.').replace(/:\w+/g, '[^/]+').replace('*', '.+')}$`)
