import { createHash, randomBytes } from 'node:crypto'
import type { RedisClient } from '../../redis/connect.ts'
import type { Keys } from '../../redis/keys.ts'

/** Who signed in. */
export interface Session {
  readonly tenant: string
  /** Of the key that was shown: a session ends with its key. */
  readonly keyId: string
  /** Unix ms. */
  readonly expiresAtMs: number
}

/** Browsers that are signed in. Redis keeps a hash of what the browser has: whoever reads Redis cannot act. */
export interface SessionStore {
  /** Answers the secret that names the session from now on: 256 bits. */
  create(session: Session): Promise<string>
  find(secret: string): Promise<Session | null>
  end(secret: string): Promise<void>
}

const secretPattern = /^[\w-]{43}$/

export const createSessionStore = (
  redis: RedisClient,
  keys: Pick<Keys, 'session'>,
  now: () => number,
): SessionStore => {
  const keyOf = (secret: string): string => keys.session(createHash('sha256').update(secret).digest('hex'))
  return {
    create: async session => {
      const secret = randomBytes(32).toString('base64url')
      await redis.set(keyOf(secret), JSON.stringify(session), 'PX', session.expiresAtMs - now())
      return secret
    },
    find: async secret => {
      if (!secretPattern.test(secret)) return null
      const text = await redis.get(keyOf(secret))
      return text === null ? null : (JSON.parse(text) as Session)
    },
    end: async secret => {
      await redis.del(keyOf(secret))
    },
  }
}
