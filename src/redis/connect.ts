import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { AbstractConnector, Cluster, Redis, type RedisOptions } from 'ioredis'
import type { Logger } from 'pino'
import { parseRedisUrl } from './address.ts'
import { ImpatientRedis } from './impatient.ts'
import { type Keys, shards } from './keys.ts'
import {
  clusterOptions,
  failFastOptions,
  giveUpMs,
  isPatient,
  type Manner,
  nodeOptions,
  patientOptions,
  sentinelOptions,
  urlOptions,
} from './options.ts'
import { type ClusterPlace, describePlace, type RedisPlace } from './place.ts'
import { reportCluster, reportRedis } from './report.ts'

/** A connection to one server, whichever that is at the time, or those to the nodes of a Cluster. */
export type RedisClient = Redis | Cluster

/**
 * A connection for the API: commands fail at once while Redis is away, and after 2 s (2.25 at most) when it hangs. A command that
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
  const open = (options: RedisOptions): Redis =>
    isPatient(manner) ? new Redis(options) : new ImpatientRedis(options, giveUpMs)
  if (typeof place === 'string') {
    const { host, port } = parseRedisUrl(place)
    return reportRedis(open({ ...urlOptions(place, manner), ...more }), { log, connection, host, port })
  }
  return reportRedis(open({ ...sentinelOptions(place, manner), ...more }), {
    log,
    connection,
    redis: describePlace(place),
  })
}

const disconnectTimeoutMs = 500

/**
 * For ioredis: connects to any of a Cluster's named nodes, to the next one each time. All of them hear what
 * is published on one. ioredis's own way for subscriptions changes the node without an event, and what was
 * published meanwhile is lost: this way it is a connection like any other, with its `ready`.
 */
const anyNodeConnector = ({ nodes, tls }: ClusterPlace) => {
  // Processes should not all listen at the same node.
  let next = Math.floor(Math.random() * nodes.length)

  return class AnyNodeConnector extends AbstractConnector {
    constructor() {
      super(disconnectTimeoutMs)
    }

    async connect(): Promise<Socket> {
      this.connecting = true
      const { host, port } = nodes[next++ % nodes.length]!
      const stream = tls ? connectTls({ host, port }) : connectPlain({ host, port })
      stream.once('error', error => {
        this.firstError = error
      })
      this.stream = stream
      return stream
    }
  }
}

/**
 * Makes `connect` settle. In ioredis (6.0.0) its promise is forgotten when nodes answer, but say that the
 * Cluster is down: it tries again, and the promise never settles. BullMQ awaits it after an outage, and its
 * worker was deaf from then on. Now it resolves with whichever attempt succeeds, also for a duplicate, which
 * is what BullMQ connects.
 */
const steady = (cluster: Cluster): Cluster => {
  const connect = cluster.connect.bind(cluster)
  const duplicate = cluster.duplicate.bind(cluster)
  cluster.connect = () =>
    new Promise((resolve, reject) => {
      cluster.once('ready', resolve)
      connect().catch(error => {
        cluster.off('ready', resolve)
        reject(error)
      })
    })
  cluster.duplicate = ((nodes, options) => steady(duplicate(nodes, options))) as Cluster['duplicate']
  return cluster
}

/** Rejects when Redis does not answer. All shards of a Cluster must, or some jobs cannot be kept. */
export const pingRedis = async (redis: Redis | Cluster, keys: Keys): Promise<void> => {
  if (!redis.isCluster) await redis.ping()
  else await Promise.all(shards.map(shard => redis.exists(keys.schedule(shard))))
}

/**
 * Hands what is published on a channel to `onText` until the function that it resolves with is called. What is published while
 * the connection is down is lost: ioredis subscribes again by itself, and the caller looks for what it missed.
 */
export const subscribeTo = async (
  subscriber: Redis,
  channel: string,
  onText: (text: string) => void,
): Promise<() => void> => {
  const onMessage = (from: string, text: string): void => {
    if (from === channel) onText(text)
  }
  subscriber.on('message', onMessage)
  await subscriber.subscribe(channel)
  return () => void subscriber.off('message', onMessage)
}
