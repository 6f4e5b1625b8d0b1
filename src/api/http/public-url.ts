import type { FastifyRequest } from 'fastify'
import type { Config } from '../../config/schema.ts'

/**
 * Where the client reaches this server, without a slash at the end: `server.public_url`, else as its request has it.
 * What proxies add to a request is not believed, for anyone can.
 */
export const publicUrlOf = ({ server }: Config, { protocol, host }: FastifyRequest): string => {
  if (server.public_url !== undefined) return server.public_url.replace(/\/+$/, '')
  // Clients of HTTP/1.0 need not name a host; for them the path alone.
  return host === '' ? '' : `${protocol}://${host}`
}
