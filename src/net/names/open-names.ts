import type { LookupFunction } from 'node:net'
import { isIP } from 'node:net'
import { NameError } from './ask-servers.ts'
import { createNameResolver, type NameResolver, type ResolveOptions } from './name-resolver.ts'

/** How names are resolved: those that the operator chose, and those that clients did. */
export interface Names {
  /** For sockets to providers, to proxies and to the store of files. */
  readonly lookup: LookupFunction
  /** For hosts of webhooks. */
  readonly ofReceivers: Pick<NameResolver, 'resolve'>
  close(): void
}

export interface NamesOptions {
  /** In place of those of the system. */
  readonly servers: readonly string[]
  readonly timeoutMs: number
}

export const openNames = (options: NamesOptions): Names => {
  const chosen = createNameResolver({ ...options, asksSystem: true })
  const receivers = createNameResolver(options)
  return {
    lookup: socketLookup(chosen),
    ofReceivers: receivers,
    close: () => {
      chosen.close()
      receivers.close()
    },
  }
}

/**
 * A `lookup` for sockets: all addresses where they are asked for, so that a socket may try one after the
 * other.
 */
export const socketLookup =
  (names: Pick<NameResolver, 'resolve'>, how: ResolveOptions = {}): LookupFunction =>
  (hostname, { family, all }, callback) => {
    const wanted = family === 4 || family === 'IPv4' ? 4 : family === 6 || family === 'IPv6' ? 6 : 0
    names
      .resolve(hostname, how)
      .then(addresses => {
        const found = addresses
          .map(address => ({ address, family: isIP(address) }))
          .filter(entry => wanted === 0 || entry.family === wanted)
        if (found.length === 0) throw new NameError('ENOTFOUND', hostname)
        return found
      })
      .then(
        found => (all ? callback(null, found) : callback(null, found[0]!.address, found[0]!.family)),
        error => callback(error, ''),
      )
  }
