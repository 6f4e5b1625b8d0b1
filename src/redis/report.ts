import type { Cluster, Redis } from 'ioredis'
import type { Logger } from 'pino'

/** Whose connection it is and where it leads, for the log. */
export interface Reported extends Readonly<Record<string, unknown>> {
  readonly log: Logger
  readonly connection: string
}

/** One line when an outage begins and one when it ends: ioredis emits an error at every reconnection, 20 a second. */
export const reportRedis = (redis: Redis, { log, ...where }: Reported): Redis => {
  let away = false
  redis.on('error', (error: Error) => {
    if (away) return
    away = true
    log.error({ event: 'redis.lost', ...where, reason: reasonOf(error) }, 'redis connection lost')
  })
  redis.on('ready', () => {
    if (away) log.info({ event: 'redis.restored', ...where }, 'redis connection restored')
    away = false
  })
  return redis
}

/** The same for each node of a Cluster, and for all of them together. */
export const reportCluster = (cluster: Cluster, { log, ...where }: Reported): Cluster => {
  const away = new Set<string>()
  const lost = (node: string, error: Error): void => {
    if (away.has(node)) return
    away.add(node)
    log.error({ event: 'redis.lost', ...where, node, reason: reasonOf(error) }, 'redis connection lost')
  }
  const restored = (node: string): void => {
    if (away.delete(node)) log.info({ event: 'redis.restored', ...where, node }, 'redis connection restored')
  }
  cluster.on('error', (error: Error) => lost('all', error))
  cluster.on('ready', () => restored('all'))
  cluster.on('node error', (error: Error, node: string) => lost(node, error))
  cluster.on('+node', (redis: Redis) => {
    redis.on('ready', () => restored(`${redis.options.host}:${redis.options.port}`))
  })
  return cluster
}

/**
 * A code for the log: `ECONNREFUSED`, `WRONGPASS`, `NOAUTH` … The error itself must not be logged: ioredis puts the
 * failed command on it, and that of a failed login holds the password.
 */
const reasonOf = (error: Error & { code?: unknown; lastNodeError?: Error }): string => {
  if (typeof error.code === 'string') return error.code
  if (error.lastNodeError instanceof Error) return reasonOf(error.lastNodeError)
  // ioredis reports unreachable Sentinels in a sentence that has the last one's code in it.
  return /^[A-Z]{3,}(?= )|\b[A-Z]{6,}\b/.exec(error.message)?.[0] ?? error.name
}
