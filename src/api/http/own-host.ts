import type { IncomingMessage } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { BatonError } from '../../domain/errors.ts'
import type { OwnAddress } from './own-address.ts'

/** The host of a request target that is a whole URL; it holds in place of the `Host` header (RFC 9112, 3.2.2). */
const hostOfTarget = /^[a-z][a-z\d+.-]*:\/\/([^/?#]*)/i

/** Each `Host` header as it came: Node's `headers` keep the first alone. */
export const hostHeadersOf = ({ rawHeaders }: IncomingMessage): string[] =>
  rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]!.toLowerCase() === 'host')

/**
 * Refuses requests for another host: a page whose name was led to this machine (DNS rebinding) sends them, and its browser
 * takes what is answered for the page's own. Only a client of HTTP/1.0, and so no browser, may name none.
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
