import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/** The proxy settings of the environment, or of the config in its place. */
export interface ProxySettings {
  /** For addresses of `http:`. */
  readonly http?: string | undefined
  /** For addresses of `https:`. */
  readonly https?: string | undefined
  /** Hosts that are reached without one, as NO_PROXY lists them. */
  readonly except?: string | undefined
}

/** What a single setting says in place of a proxy's address. */
export const noProxy = 'direct'

/**
 * The proxy by which an address is reached, or null. `own`: of whoever asks, which wins. What only the
 * surroundings say never holds for this machine itself, and what is next to it.
 */
export const proxyFor = (url: URL, own: string | undefined, around: ProxySettings): URL | null => {
  if (own !== undefined) return own === noProxy ? null : new URL(own)
  const proxy = url.protocol === 'https:' ? around.https : around.http
  if (proxy === undefined || isNearby(hostOf(url)) || isExcepted(url, around.except ?? '')) return null
  return new URL(proxy)
}

/** Without the brackets of IPv6, and without the dot that ends a full name. */
const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')

/** On this machine, or next to it, as metadata services of clouds are: no proxy gets there. */
const isNearby = (host: string): boolean =>
  host === 'localhost' ||
  host.endsWith('.localhost') ||
  host === 'metadata.google.internal' ||
  (isIP(host) !== 0 && ['loopback', 'linkLocal', 'unspecified'].includes(ipaddr.process(host).range()))

const isExcepted = (url: URL, list: string): boolean => {
  const host = hostOf(url)
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(entry => entry !== '')
    .some(entry => matches(entry, host, port))
}

/** `example.com` and `.example.com` mean all names under it as well, as curl and Go have it. */
const matches = (entry: string, host: string, port: string): boolean => {
  if (entry === '*') return true
  if (entry.includes('/')) return isWithin(host, entry)
  const [, name = entry, named] = /^(\[.*\]|[^:]*):(\d+)$/.exec(entry) ?? []
  if (named !== undefined && named !== port) return false
  const bare = name
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/^\*?\./, '')
    .replace(/\.$/, '')
  return host === bare || (isIP(host) === 0 && host.endsWith(`.${bare}`))
}

const isWithin = (host: string, network: string): boolean => {
  if (isIP(host) === 0 || !ipaddr.isValidCIDR(network)) return false
  const address = ipaddr.process(host)
  const range = ipaddr.parseCIDR(network)
  return address.kind() === range[0].kind() && address.match(range as [ipaddr.IPv4, number])
}
