import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { createNameResolver, type NameResolver } from '../net/names/name-resolver.ts'

/** Answers every address of a name; rejects, or answers none, when it has none. */
export type Resolve = NameResolver['resolve']

/** By the files and the name servers of the system. */
export const resolveAll: Resolve = createNameResolver().resolve

/**
 * The IP address that a URL's host is written as, or null for a name. Decimal, octal, hex and short forms need no
 * care here: WHATWG URL has already turned them into dotted quads.
 */
export const literalAddress = (hostname: string): string | null => {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1')
  return isIP(bare) === 0 ? null : bare
}

export interface AddressGuard {
  /** True when deliveries may go to this IP address: it is public, or the operator allowed its network. */
  permits(address: string): boolean
  /** True when the operator allowed the address's network, which makes plain http acceptable there too. */
  allowsPlainHttp(address: string): boolean
}

type Address = ipaddr.IPv4 | ipaddr.IPv6

/** IANA allocates public IPv6 from here only: naming it covers `::/96`, NAT64, ULA and whatever is reserved next. */
const publicIpv6 = ipaddr.parseCIDR('2000::/3')

/** Azure's metadata and DNS service answers here inside every Azure network, although the range is public. */
const azurePlatform = ipaddr.parseCIDR('168.63.129.16/32')

const isWithin = (address: Address, networks: [Address, number][]): boolean =>
  ipaddr.subnetMatch(address, { within: networks }, 'outside') === 'within'

/** `range()` calls every special-purpose block by its name; `unicast` is what is left. */
const isPublic = (address: Address): boolean =>
  address.range() === 'unicast' &&
  !isWithin(address, [azurePlatform]) &&
  (address.kind() === 'ipv4' || isWithin(address, [publicIpv6]))

/**
 * Decides which addresses deliveries may reach, so that a webhook URL is no way into the operator's network.
 * `allow` lists networks in CIDR form; throws on anything else. Text that is no IP address is never permitted.
 */
export const createAddressGuard = (allow: readonly string[]): AddressGuard => {
  const allowed = allow.map(network => ipaddr.parseCIDR(network))
  // `process` unwraps IPv4-mapped IPv6, so that ::ffff:127.0.0.1 is judged as 127.0.0.1.
  const read = (address: string): Address | null => (isIP(address) === 0 ? null : ipaddr.process(address))
  return {
    permits: text => {
      const address = read(text)
      return address !== null && (isPublic(address) || isWithin(address, allowed))
    },
    allowsPlainHttp: text => {
      const address = read(text)
      return address !== null && isWithin(address, allowed)
    },
  }
}

interface ResolveWithin {
  /** Whose share of lookups it takes of. */
  readonly share: string | undefined
  readonly timeoutMs: number
  /** Ends the wait early. */
  readonly signal?: AbortSignal
}

/** A name's addresses; null when they were not there in time, or `signal` has aborted. Rejects as `resolve` does. */
export const resolveWithin = async (
  resolve: Resolve,
  hostname: string,
  { share, timeoutMs, signal }: ResolveWithin,
): Promise<readonly string[] | null> => {
  const patience = new AbortController()
  const ended = Promise.withResolvers<null>()
  const end = (): void => {
    ended.resolve(null)
    patience.abort()
  }
  const timer = setTimeout(end, timeoutMs)
  signal?.addEventListener('abort', end)
  if (signal?.aborted) end()
  try {
    const asked = resolve(hostname, { ...(share !== undefined && { share }), signal: patience.signal })
    return await Promise.race([ended.promise, asked])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', end)
  }
}
