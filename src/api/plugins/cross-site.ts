import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Config } from '../../config/schema.ts'
import { BatonError } from '../../domain/errors.ts'
import { hasBody } from '../incoming-request.ts'

/**
 * Refuses what a browser sends for a page of another site, where nothing else would: while no key is asked for, and for
 * bodies of the types that a page may send anywhere without asking first. Must come before `installBodyTypes`.
 */
export const installCrossSite = (scope: FastifyInstance, { api_keys, server }: Config): void => {
  const isKeyless = api_keys.length === 0
  const publicOrigin = server.public_url === undefined ? null : new URL(server.public_url).origin

  const isOwn = (origin: string, host: string): boolean => {
    if (origin === publicOrigin) return true
    const url = URL.parse(origin)
    if (url === null || URL.parse(`${url.protocol}//${host}`)?.host !== url.host) return false
    // A name server can lead any other name to this machine, and a page of that name would be called our own.
    return !isKeyless || isLoopback(url.hostname)
  }

  scope.addHook('onRequest', (request, _reply, done) => {
    const { origin, host = '', 'sec-fetch-site': site } = request.raw.headers
    if (origin === undefined && site !== 'cross-site') return done()
    if (!isKeyless && !(hasBody(request.raw) && !isJson(request))) return done()
    const isForeign = origin === undefined ? !isVisit(request) : site === 'cross-site' || !isOwn(origin, host)
    done(isForeign ? forbidden() : undefined)
  })
}

const isJson = ({ raw }: FastifyRequest): boolean =>
  /^application\/json[ \t]*(?:;|$)/i.test(raw.headers['content-type'] ?? '')

/** Somebody followed a link. */
const isVisit = ({ raw }: FastifyRequest): boolean =>
  raw.method === 'GET' && raw.headers['sec-fetch-mode'] === 'navigate'

const isLoopback = (hostname: string): boolean =>
  /^(?:localhost|.+\.localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname)

const forbidden = (): BatonError =>
  new BatonError('cross_site_forbidden', 'A web page of another site sent this request.')
