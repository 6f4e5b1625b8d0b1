import { isIP } from 'node:net'
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
