import { isIP, type LookupFunction } from 'node:net'
import { buildConnector } from 'undici'
import { createTunnelConnector } from '../net/tunnel.ts'
import type { AddressGuard } from './address-guard.ts'
import { literalAddress, type Resolve } from './address-guard.ts'

/** The `code` of the error a connection fails with when its host leads to a forbidden address. */
export const forbiddenAddressCode = 'ERR_WEBHOOK_ADDRESS_FORBIDDEN'

type MayDial = (address: string) => boolean

const failure = (code: string, message: string): NodeJS.ErrnoException =>
  Object.assign(new Error(message), { code })

const forbidden = (): NodeJS.ErrnoException =>
  failure(forbiddenAddressCode, 'the webhook host leads to a forbidden address')

const resolveChecked = async (hostname: string, mayDial: MayDial, resolve: Resolve) => {
  const addresses = await resolve(hostname)
  if (addresses.length === 0) throw failure('ENOTFOUND', 'the webhook host has no address')
  if (!addresses.every(mayDial)) throw forbidden()
  return addresses.map(address => ({ address, family: isIP(address) }))
}

/**
 * A `lookup` for sockets that resolves once and hands on exactly the addresses it checked: there is no second
 * resolution for a rebinding name server to answer differently. One forbidden address refuses the whole name,
 * because the socket may dial any of them.
 */
export const guardedLookup =
  (mayDial: MayDial, resolve: Resolve): LookupFunction =>
  (hostname, options, callback) => {
    resolveChecked(hostname, mayDial, resolve).then(
      checked =>
        options.all ? callback(null, checked) : callback(null, checked[0]!.address, checked[0]!.family),
      error => callback(error, ''),
    )
  }

/** Sockets never look a literal address up, so it would pass the lookup by. */
const guardLiterals =
  (mayDial: MayDial, connect: buildConnector.connector): buildConnector.connector =>
  (target, callback) => {
    const literal = literalAddress(target.hostname)
    if (literal !== null && !mayDial(literal)) callback(forbidden(), null)
    else connect(target, callback)
  }

/**
 * An undici connector that dials only what the guard permits; plain http only where the guard allows that.
 * A forbidden host fails the connection with `forbiddenAddressCode`.
 */
export const createGuardedConnector = (
  guard: AddressGuard,
  options: { timeoutMs: number; resolve: Resolve; proxy: URL | null; lookup?: LookupFunction | undefined },
): buildConnector.connector => {
  const dialler = (mayDial: MayDial): buildConnector.connector => {
    const { proxy } = options
    // The proxy is given the address that was checked: it must not resolve the name once more.
    const checked = async ({ hostname }: buildConnector.Options): Promise<readonly string[]> =>
      literalAddress(hostname) === null
        ? (await resolveChecked(hostname, mayDial, options.resolve)).map(({ address }) => address)
        : [hostname]
    if (proxy !== null) {
      const connect = createTunnelConnector(proxy, {
        timeoutMs: options.timeoutMs,
        lookup: options.lookup,
        addressesOf: checked,
      })
      return guardLiterals(mayDial, connect)
    }
    const connect = buildConnector({
      timeout: options.timeoutMs,
      lookup: guardedLookup(mayDial, options.resolve),
      // A delivery is cut off by destroying its socket, which must then carry no other delivery.
      allowH2: false,
    })
    return guardLiterals(mayDial, connect)
  }
  const secure = dialler(guard.permits)
  const plain = dialler(guard.allowsPlainHttp)
  return (target, callback) => (target.protocol === 'https:' ? secure : plain)(target, callback)
}
