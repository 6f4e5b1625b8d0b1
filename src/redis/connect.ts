import { Redis, type RedisOptions } from 'ioredis'
import type { Logger } from 'pino'
import { parseRedisUrl } from './address.ts'

/** ioredis's own strategy waits up to 5 s; a queue should move again within a second of Redis's return. */
const retryStrategy = (attempt: number): number => Math.min(50 * attempt, 1_000)

const shared = {
  // RESP3 with RESP2 reply shapes, written down so that another default of ioredis cannot change what scripts return.
  protocol: 3,
  replyMapping: 'legacy',
  retryStrategy,
  // After a fail-over behind one address the old connection stays up, on what is now a read-only replica.
  reconnectOnError: error => error.message.startsWith('READONLY'),
} as const satisfies RedisOptions

/** Options of connections on which someone waits for an answer now: they fail within 2 s, also when Redis hangs. */
export const failFastOptions = {
  ...shared,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 1,
  commandTimeout: 2_000,
} as const satisfies RedisOptions

/** Options of connections that outlast any outage. No commandTimeout: it would cut off blocking reads. */
export const patientOptions = {
  ...shared,
  maxRetriesPerRequest: null,
} as const satisfies RedisOptions

/**
 * A connection for the API: commands fail at once while Redis is away, and after 2 s when it hangs. A command that
 * timed out may still have run.
 */
export function createApiRedis(url: string, log: Logger): Redis {
  return reporting(new Redis({ ...parseRedisUrl(url), ...failFastOptions }), log, 'api')
}

/** A connection for workers: commands wait for Redis to return, however long that takes. */
export function createPatientRedis(
  url: string,
  log: Logger,
  options: { autoPipelining?: boolean } = {},
): Redis {
  const enableAutoPipelining = options.autoPipelining ?? false
  return reporting(
    new Redis({ ...parseRedisUrl(url), ...patientOptions, enableAutoPipelining }),
    log,
    'worker',
  )
}

/** A connection for SUBSCRIBE alone; it subscribes again by itself after an outage. Messages sent meanwhile are lost. */
export function createSubscriber(url: string, log: Logger): Redis {
  return reporting(new Redis({ ...parseRedisUrl(url), ...patientOptions }), log, 'subscriber')
}

/** One line when an outage begins and one when it ends: ioredis emits an error at every reconnection, 20 a second. */
function reporting(redis: Redis, log: Logger, connection: string): Redis {
  const { host, port } = redis.options
  let away = false
  redis.on('error', (error: Error) => {
    if (away) return
    away = true
    log.error({ connection, host, port, reason: reasonOf(error) }, 'redis connection lost')
  })
  redis.on('ready', () => {
    if (away) log.info({ connection, host, port }, 'redis connection restored')
    away = false
  })
  return redis
}

/**
 * A code for the log: `ECONNREFUSED`, `WRONGPASS`, `NOAUTH` … The error itself must not be logged: ioredis puts the
 * failed command on it, and that of a failed login holds the password.
 */
function reasonOf(error: Error & { code?: unknown }): string {
  if (typeof error.code === 'string') return error.code
  return /^[A-Z]{3,}(?= )/.exec(error.message)?.[0] ?? error.name
}
