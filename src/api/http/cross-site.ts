import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { BatonError } from '../../domain/errors.ts'
import { hasBody } from './body-stream.ts'
import type { OwnAddress } from './own-address.ts'

/**
 * Refuses every request that a browser sends for a page of another site: for a server that asks for no key.
 */
export const refuseCrossSite = (app: FastifyInstance, own: OwnAddress): void => {
  app.addHook('onRequest', (request, _reply, done) => {
    done(isForeign(request, own) ? forbidden() : undefined)
  })
}

/**
 * Refuses only bodies whose type a page may send anywhere without a preflight: any other request needs a key,
 * which the page then has. Must come before `assumeJsonBodies`.
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
  // `same-site` covers another port of this machine, too.
  const isFromElsewhere = site !== undefined && site !== 'same-origin' && site !== 'none'
  if (origin === undefined) return isFromElsewhere && !isVisit(request)
  return site === 'cross-site' || !own.isOwnOrigin(origin, host)
}

const isJson = ({ raw }: FastifyRequest): boolean =>
  /^application\/json[ \t]*(?:;|$)/i.test(raw.headers['content-type'] ?? '')

/** A person followed a link, and no frame did so for them. */
const isVisit = ({ raw: { method, headers } }: FastifyRequest): boolean =>
  method === 'GET' &&
  headers['sec-fetch-mode'] === 'navigate' &&
  (headers['sec-fetch-dest'] ?? 'document') === 'document'

const forbidden = (): BatonError =>
  new BatonError('cross_site_forbidden', 'A web page of another site sent this request.')

/**
 * The host of a request target that is a whole URL; it holds in place of the `Host` header (RFC 9112, 3.2.2).
 */
const hostOfTarget = /^[a-z][a-z\d+.-]*:\/\/([^/?#]*)/i

/** Each `Host` header as it came: Node's `headers` keep the first alone. */
export const hostHeadersOf = ({ rawHeaders }: IncomingMessage): string[] =>
  rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]!.toLowerCase() === 'host')

/**
 * Refuses requests for another host: a page whose name was led to this machine (DNS rebinding) sends them,
 * and its browser takes what is answered for the page's own. Only a client of HTTP/1.0, and so no browser,
 * may name none.
 */
export const refuseForeignHosts = (app: FastifyInstance, own: OwnAddress): void => {
  app.addHook('onRequest', ({ raw }, _reply, done) => {
    const [, target] = hostOfTarget.exec(raw.url!) ?? []
    const hosts = [...hostHeadersOf(raw), ...(target === undefined ? [] : [target])]
    done(hosts.every(own.isOwnHost) ? undefined : hostForbidden())
  })
}

const hostForbidden = (): BatonError =>
  new BatonError(
    'host_forbidden',
    'Without API keys this server answers to localhost, to addresses of loopback and to the host of `server.public_url` alone.',
  )
