import { parseRedisUrl } from './address.ts'

export interface NodeAddress {
  readonly host: string
  readonly port: number
}

/** A master that Sentinels name, and name anew after a fail-over. */
export interface SentinelPlace {
  readonly kind: 'sentinel'
  /** What the Sentinels call the master. */
  readonly name: string
  readonly nodes: readonly NodeAddress[]
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** The Sentinels' own. */
  readonly sentinelUsername?: string | undefined
  readonly sentinelPassword?: string | undefined
  readonly db: number
  readonly tls: boolean
}

/** A Redis Cluster, by some of its nodes; the others are asked of them. */
export interface ClusterPlace {
  readonly kind: 'cluster'
  readonly nodes: readonly NodeAddress[]
  readonly username?: string | undefined
  readonly password?: string | undefined
  readonly tls: boolean
}

/** Where Redis is: a URL for one address, Sentinels, or a Cluster. */
export type RedisPlace = string | SentinelPlace | ClusterPlace

/** The `redis` section of a config, as far as it says where Redis is. */
export interface RedisSettings {
  readonly url?: string | undefined
  readonly sentinel?:
    | {
        readonly name: string
        readonly nodes: readonly string[]
        readonly username?: string | undefined
        readonly password?: string | undefined
        readonly sentinel_username?: string | undefined
        readonly sentinel_password?: string | undefined
        readonly db: number
        readonly tls: boolean
      }
    | undefined
  readonly cluster?:
    | {
        readonly nodes: readonly string[]
        readonly username?: string | undefined
        readonly password?: string | undefined
        readonly tls: boolean
      }
    | undefined
}

/** Undefined when the config names none. */
export const redisPlaceOf = ({ url, sentinel, cluster }: RedisSettings): RedisPlace | undefined => {
  if (cluster !== undefined) return { kind: 'cluster', ...cluster, nodes: cluster.nodes.map(parseNode) }
  if (sentinel === undefined) return url
  const { sentinel_username, sentinel_password, nodes, ...rest } = sentinel
  return {
    kind: 'sentinel',
    ...rest,
    nodes: nodes.map(parseNode),
    sentinelUsername: sentinel_username,
    sentinelPassword: sentinel_password,
  }
}

/** `host:port`, of an IPv6 address `[::1]:6379`. The config's schema lets nothing else through. */
const parseNode = (text: string): NodeAddress => {
  const at = text.lastIndexOf(':')
  return { host: text.slice(0, at).replace(/^\[(.*)\]$/, '$1'), port: Number(text.slice(at + 1)) }
}

/** For a sentence and for the log: names hosts and ports, and no password. Throws when a URL is malformed. */
export const describePlace = (place: RedisPlace): string => {
  if (typeof place === 'string') {
    const { host, port } = parseRedisUrl(place)
    return `Redis at ${host}:${port}`
  }
  const nodes = place.nodes.map(({ host, port }) => `${host}:${port}`).join(', ')
  return place.kind === 'sentinel'
    ? `The master "${place.name}" of the Sentinels at ${nodes}`
    : `The Redis Cluster of ${nodes}`
}
