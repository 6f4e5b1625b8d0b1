import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'

/** Answers every address of a name; rejects, or answers none, when it has none. */
export type Resolve = (hostname: string) => Promise<readonly string[]>

/**
 * The system's resolver. A trailing dot only says "fully qualified", but with it the hosts file goes unread and
 * `localhost.` passes for an unknown name.
 */
export const resolveAll: Resolve = async hostname => {
  const found = await lookup(hostname.replace(/\.$/, ''), { all: true })
  return found.map(({ address }) => address)
}

/**
 * The IP address that a URL's host is written as, or null for a name. Decimal, octal, hex and short forms need no
 * care here: WHATWG URL has already turned them into dotted quads.
 */
export const literalAddress = (hostname: string): string | null => {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1')
  return isIP(bare) === 0 ? null : bare
}
