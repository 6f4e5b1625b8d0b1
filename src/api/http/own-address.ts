import type { FastifyRequest } from 'fastify'
import ipaddr from 'ipaddr.js'
import type { Config } from '../../config/schema.ts'

/** By which names this server may be called, and whose pages may call it. */
export interface OwnAddress {
  /** For a `Host` header, or the host of a request target that is a whole URL. */
  isOwnHost(host: string): boolean
  /** For the origin of a page that this server itself has served. */
  isOwnOrigin(origin: string, host: string): boolean
  /** For the origin of a page that `server.cors_origins` lists. */
  isListedOrigin(origin: string): boolean
}

/**
 * A name or a literal, with or without a port. What else fits in a URL, such as a user's name, is no host.
 */
const wellFormed = /^(?:\[[\da-f:.]+\]|[\w.-]+)(?::\d{0,5})?$/i

/**
 * While no key is asked for, a server answers to names that a name server has no say in, and to its public
 * one: any other name can be led to this machine, and a page of that name would be called our own.
 */
export const createOwnAddress = ({ api_keys, server }: Pick<Config, 'api_keys' | 'server'>): OwnAddress => {
  const isKeyless = api_keys.length === 0
  const publicUrl = server.public_url === undefined ? null : new URL(server.public_url)
  const listed = new Set(server.cors_origins)
  const isOwn = (host: string): boolean => {
    const hostname = wellFormed.test(host) ? URL.parse(`http://${host}`)?.hostname : undefined
    return hostname !== undefined && (isLoopback(hostname) || hostname === publicUrl?.hostname)
  }
  // Nearly all requests have the same one, and to look at it takes a hundredth of what a request does.
  let last = { host: '', isOwn: isOwn('') }
  return {
    isOwnHost: host => {
      if (!isKeyless) return true
      if (host !== last.host) last = { host, isOwn: isOwn(host) }
      return last.isOwn
    },
    isOwnOrigin: (origin, host) => {
      if (origin === publicUrl?.origin) return true
      const url = URL.parse(origin)
      if (url === null || URL.parse(`${url.protocol}//${host}`)?.host !== url.host) return false
      return !isKeyless || isLoopback(url.hostname)
    },
    isListedOrigin: origin => listed.has('*') || listed.has(origin),
  }
}

/** As a URL has its host (in lower case, IPv6 in brackets), or as a config has it. */
export const isLoopback = (hostname: string): boolean => {
  const address = hostname.replace(/^\[(.*)\]$/, '$1')
  return (
    hostname === 'localhost' || (ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback')
  )
}

/**
 * Where the client reaches this server, without a slash at the end: `server.public_url`, else as its request
 * has it. What proxies add to a request is not believed, for anyone can.
 */
export const publicUrlOf = ({ server }: Config, { protocol, host }: FastifyRequest): string => {
  if (server.public_url !== undefined) return server.public_url.replace(/\/+$/, '')
  // Clients of HTTP/1.0 need not name a host; for them the path alone.
  return host === '' ? '' : `${protocol}://${host}`
}
