/** A Redis URL taken apart: usable as ioredis options and as BullMQ's `connection`. */
export interface RedisAddress {
  readonly host: string
  readonly port: number
  readonly username?: string
  readonly password?: string
  readonly db: number
  readonly tls?: { readonly servername?: string }
}

// The URL stays out of every message: it may hold a password, and `new URL` would put it on its error.
const malformed = () =>
  new Error('the Redis URL is malformed: expected redis://[[user]:password@]host[:port][/db], or rediss://')

/**
 * Reads `redis://[[user]:password@]host[:port][/db]`; `rediss:` turns TLS on. User and password are
 * percent-decoded. Throws an error that never repeats the URL.
 */
export function parseRedisUrl(url: string): RedisAddress {
  const parsed = URL.parse(url)
  if (parsed === null || !/^rediss?:$/.test(parsed.protocol) || parsed.hostname === '') throw malformed()
  const db = parsed.pathname.replace(/^\//, '')
  if (!/^\d*$/.test(db)) throw malformed()
  const host = parsed.hostname.replace(/^\[(.*)\]$/, '$1')
  return {
    host,
    port: parsed.port === '' ? 6379 : Number(parsed.port),
    db: Number(db),
    ...(parsed.username !== '' && { username: decoded(parsed.username) }),
    ...(parsed.password !== '' && { password: decoded(parsed.password) }),
    ...(parsed.protocol === 'rediss:' && { tls: serverName(host) }),
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw malformed()
  }
}

// Without a servername Node sends no SNI, and hosted Redis often routes by it; an IP address must not be one.
const serverName = (host: string) => (/^[\d.]+$|:/.test(host) ? {} : { servername: host })
