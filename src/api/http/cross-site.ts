import type { FastifyInstance, FastifyRequest } from 'fastify'
import { BatonError } from '../../domain/errors.ts'
import { hasBody } from './incoming-request.ts'
import type { OwnAddress } from './own-address.ts'

/** Refuses whatever a browser sends for a page of another site: for a server that asks for no key. */
export const refuseCrossSite = (app: FastifyInstance, own: OwnAddress): void => {
  app.addHook('onRequest', (request, _reply, done) => {
    done(isForeign(request, own) ? forbidden() : undefined)
  })
}

/**
 * The same of bodies alone whose type a page may send anywhere without asking first: a key that the page has is all that any
 * other request needs. Must come before `installBodyTypes`.
 */
export const refuseCrossSiteForms = (scope: FastifyInstance, own: OwnAddress): void => {
  scope.addHook('onRequest', (request, _reply, done) => {
    const isSimple = hasBody(request.raw) && !isJson(request)
    done(isSimple && isForeign(request, own) ? forbidden() : undefined)
  })
}

const isForeign = (request: FastifyRequest, own: OwnAddress): boolean => {
  const { origin, host = '', 'sec-fetch-site': site } = request.raw.headers
  if (origin !== undefined && own.isListedOrigin(origin)) return false
  // `same-site` is said of another port of this machine, too.
  const isFromElsewhere = site !== undefined && site !== 'same-origin' && site !== 'none'
  if (origin === undefined) return isFromElsewhere && !isVisit(request)
  return site === 'cross-site' || !own.isOwnOrigin(origin, host)
}

const isJson = ({ raw }: FastifyRequest): boolean =>
  /^application\/json[ \t]*(?:;|$)/i.test(raw.headers['content-type'] ?? '')

/** Somebody followed a link, and no frame does so for them. */
const isVisit = ({ raw: { method, headers } }: FastifyRequest): boolean =>
  method === 'GET' &&
  headers['sec-fetch-mode'] === 'navigate' &&
  (headers['sec-fetch-dest'] ?? 'document') === 'document'

const forbidden = (): BatonError =>
  new BatonError('cross_site_forbidden', 'A web page of another site sent this request.')
