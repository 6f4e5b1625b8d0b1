import type { FastifyInstance } from 'fastify'
import { hasBody } from './incoming-request.ts'

/** What curl and simple clients name for whatever they send, or nothing at all. */
const saysNothingOfBody = /^(?:application\/x-www-form-urlencoded|text\/plain)[ \t]*(?:;|$)/i

/**
 * Reads a body as JSON where its type says nothing of it: `curl -d '{…}'` calls it a form. A web page may send such types
 * to any site without asking, so the pages are refused first: `installCrossSite`.
 */
export const assumeJsonBodies = (scope: FastifyInstance): void => {
  scope.addHook('onRequest', ({ raw }, _reply, done) => {
    const type = raw.headers['content-type']
    if (hasBody(raw) && (type === undefined || saysNothingOfBody.test(type))) {
      raw.headers['content-type'] = 'application/json'
    }
    done()
  })
}
