import type { FastifyInstance } from 'fastify'
import type { OwnAddress } from './own-address.ts'

/** What a page may read of an answer beside its body and the few headers that any page may read. */
const exposed = [
  'content-disposition',
  'content-range',
  'idempotent-replayed',
  'location',
  'preference-applied',
  'request-id',
  'retry-after',
  'x-baton-adjusted',
  'x-baton-attempts',
  'x-baton-cache',
  'x-baton-job-id',
  'x-baton-provider',
  'x-request-id',
  'x-should-retry',
  'x-upstream-request-id',
].join(', ')

/** Short, so that an origin that is taken off the list is soon refused. */
const preflightSeconds = 600

/**
 * Lets pages of the origins in `server.cors_origins` call this server. Must come before what asks for a key:
 * a browser asks first, and without one. Plugins for it would answer every OPTIONS by a route of their own,
 * and so change the answers to requests without such an origin.
 */
export const installCors = (app: FastifyInstance, origins: readonly string[], own: OwnAddress): void => {
  if (origins.length === 0) return
  const isForAll = origins.includes('*')
  app.addHook('onRequest', (request, reply, done) => {
    const { origin, ...headers } = request.raw.headers
    if (!isForAll) reply.header('vary', 'Origin')
    if (origin === undefined || !own.isListedOrigin(origin)) return done()
    reply.header('access-control-allow-origin', isForAll ? '*' : origin)
    if (request.method !== 'OPTIONS' || headers['access-control-request-method'] === undefined) {
      reply.header('access-control-expose-headers', exposed)
      return done()
    }
    // Each client has headers of its own, such as x-stainless-*. What is sent is judged when it comes.
    const wanted = headers['access-control-request-headers']
    if (wanted !== undefined) reply.header('access-control-allow-headers', wanted)
    // Chrome asks for this when a page of a public network calls a private one.
    if (headers['access-control-request-private-network'] === 'true') {
      reply.header('access-control-allow-private-network', 'true')
    }
    reply
      .code(204)
      .header('access-control-allow-methods', 'GET, HEAD, POST, DELETE')
      .header('access-control-max-age', preflightSeconds)
      .send()
  })
}
