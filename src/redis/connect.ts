import { Cluster, Redis } from 'ioredis'
import type { Logger } from 'pino'
import { parseRedisUrl } from './address.ts'
import { anyNodeConnector } from './any-node.ts'
import {
  clusterOptions,
  failFastOptions,
  type Manner,
  nodeOptions,
  patientOptions,
  sentinelOptions,
  urlOptions,
} from './options.ts'
import { describePlace, type RedisPlace } from './place.ts'
import { reportCluster, reportRedis } from './report.ts'
import { steady } from './steady-cluster.ts'

/** A connection to one server, whichever that is at the time, or those to the nodes of a Cluster. */
export type RedisClient = Redis | Cluster

/**
 * A connection for the API: commands fail at once while Redis is away, and after 2 s when it hangs. A command that
 * timed out may still have run. While a Cluster changes, commands are tried again for a second.
 */
export function createApiRedis(place: string, log: Logger): Redis
export function createApiRedis(place: RedisPlace, log: Logger): RedisClient
export function createApiRedis(place: RedisPlace, log: Logger): RedisClient {
  return connect(place, failFastOptions, log, 'api')
}

interface PatientOptions {
  readonly autoPipelining?: boolean
}

/** A connection for workers: commands wait for Redis to return, however long that takes. */
export function createPatientRedis(place: string, log: Logger, options?: PatientOptions): Redis
export function createPatientRedis(place: RedisPlace, log: Logger, options?: PatientOptions): RedisClient
export function createPatientRedis(
  place: RedisPlace,
  log: Logger,
  { autoPipelining = false }: PatientOptions = {},
): RedisClient {
  return connect(place, patientOptions, log, 'worker', { enableAutoPipelining: autoPipelining })
}

/** In which a node that hears nothing is found out, together with `socketTimeout`. */
const listenCheckMs = 5_000

/** A connection for SUBSCRIBE alone; it subscribes again by itself after an outage. Messages sent meanwhile are lost. */
export function createSubscriber(place: RedisPlace, log: Logger): Redis {
  const redis = openSubscriber(place, log)
  // Each provider's worker listens on it: Node would warn of a leak from the eleventh on.
  redis.setMaxListeners(0)
  return redis
}

const openSubscriber = (place: RedisPlace, log: Logger): Redis => {
  if (typeof place === 'string') return single(place, patientOptions, log, 'subscriber')
  const redis =
    place.kind === 'sentinel'
      ? single(place, patientOptions, log, 'subscriber')
      : reportRedis(
          new Redis({
            ...nodeOptions(place, patientOptions),
            retryStrategy: patientOptions.retryStrategy,
            Connector: anyNodeConnector(place),
          }),
          { log, connection: 'subscriber', redis: describePlace(place) },
        )
  // Nothing else is ever asked on it, so nothing else would show that the server is no longer there.
  const checking = setInterval(() => {
    if (redis.status === 'ready') redis.ping().catch(() => undefined)
  }, listenCheckMs)
  redis.once('end', () => clearInterval(checking))
  return redis
}

const connect = (
  place: RedisPlace,
  manner: Manner,
  log: Logger,
  connection: string,
  more: { readonly enableAutoPipelining?: boolean } = {},
): RedisClient => {
  if (typeof place === 'string' || place.kind === 'sentinel')
    return single(place, manner, log, connection, more)
  const nodes = place.nodes.map(node => ({ ...node }))
  return reportCluster(steady(new Cluster(nodes, { ...clusterOptions(place, manner), ...more })), {
    log,
    connection,
    redis: describePlace(place),
  })
}

const single = (
  place: Exclude<RedisPlace, { kind: 'cluster' }>,
  manner: Manner,
  log: Logger,
  connection: string,
  more: { readonly enableAutoPipelining?: boolean } = {},
): Redis => {
  if (typeof place === 'string') {
    const { host, port } = parseRedisUrl(place)
    return reportRedis(new Redis({ ...urlOptions(place, manner), ...more }), { log, connection, host, port })
  }
  return reportRedis(new Redis({ ...sentinelOptions(place, manner), ...more }), {
    log,
    connection,
    redis: describePlace(place),
  })
}
