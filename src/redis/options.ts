import type { ClusterOptions, RedisOptions } from 'ioredis'
import { parseRedisUrl } from './address.ts'
import type { ClusterPlace, SentinelPlace } from './place.ts'

/** ioredis's own strategy waits up to 5 s; a queue should move again within a second of Redis's return. */
const retryStrategy = (attempt: number): number => Math.min(50 * attempt, 1_000)

const shared = {
  // RESP3 with RESP2 reply shapes, written down so that another default of ioredis cannot change what scripts return.
  protocol: 3,
  replyMapping: 'legacy',
  retryStrategy,
  // After a fail-over the old connection can stay up, on what is now a replica. Before Redis 7 the word stands within the
  // message when a script meets it.
  reconnectOnError: error => /\b(READONLY|MASTERDOWN)\b/.test(error.message),
} as const satisfies RedisOptions

/** Options of connections on which someone waits for an answer now: they fail at once while there is none. */
export const failFastOptions = {
  ...shared,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 1,
} as const satisfies RedisOptions

/** After which commands on them fail when Redis hangs. */
export const giveUpMs = 2_000

/** Options of connections that outlast any outage. Nothing is given up: that would cut off blocking reads. */
export const patientOptions = {
  ...shared,
  maxRetriesPerRequest: null,
} as const satisfies RedisOptions

export type Manner = typeof failFastOptions | typeof patientOptions

/** Where another server can take over, one that is out of reach must not be waited for as long as ioredis does: 10 s and 2 s. */
const leavesSoon = { connectTimeout: 2_000, disconnectTimeout: 500 }

/**
 * Neither is one that stays connected and answers nothing: its commands go to its successor. The time is
 * longer than workers block, which look again every second, and than a command of the API may take. ioredis
 * can listen to fail-overs of Sentinels instead, but ends connections for good when one comes while it
 * connects (6.0.0: the second `+switch-master` stops the connector of the first, and the connection counts as
 * closed by its user).
 */
const leavesSilence = (manner: Manner) => ({ socketTimeout: isPatient(manner) ? 5_000 : 2_500 })

export const urlOptions = (url: string, manner: Manner): RedisOptions => ({
  ...parseRedisUrl(url),
  ...manner,
})

export const sentinelOptions = (place: SentinelPlace, manner: Manner): RedisOptions => ({
  ...manner,
  ...leavesSoon,
  ...leavesSilence(manner),
  role: 'master',
  name: place.name,
  sentinels: place.nodes.map(node => ({ ...node })),
  sentinelCommandTimeout: 1_000,
  sentinelRetryStrategy: retryStrategy,
  db: place.db,
  ...credentials(place),
  ...(place.sentinelUsername !== undefined && { sentinelUsername: place.sentinelUsername }),
  ...(place.sentinelPassword !== undefined && { sentinelPassword: place.sentinelPassword }),
  ...(place.tls && { tls: {}, enableTLSForSentinelMode: true, sentinelTLS: {} }),
})

/** What each of a Cluster's nodes is connected with. */
export const nodeOptions = (place: ClusterPlace, manner: Manner): ClusterOptions['redisOptions'] & object => {
  const { retryStrategy: _, ...rest } = manner
  // Nodes have their own queue, or nothing could be sent before all are connected.
  const { enableOfflineQueue: __, ...node } = { enableOfflineQueue: true, ...rest }
  return {
    ...node,
    // ioredis makes these connections, and counts by the clock, also while this process stands still.
    ...(!isPatient(manner) && { commandTimeout: giveUpMs }),
    ...leavesSoon,
    ...leavesSilence(manner),
    ...credentials(place),
    ...(place.tls && { tls: {} }),
  }
}

/** How long a command of the API is sent again while a Cluster changes: ten times 100 ms, well within `giveUpMs`. */
const failFastRedirections = 10

export const clusterOptions = (place: ClusterPlace, manner: Manner): ClusterOptions => ({
  redisOptions: nodeOptions(place, manner),
  clusterRetryStrategy: retryStrategy,
  enableOfflineQueue: isPatient(manner),
  maxRedirections: isPatient(manner) ? Number.MAX_SAFE_INTEGER : failFastRedirections,
  // Nodes that disagree would send a patient command to and fro as fast as they can.
  retryDelayOnMoved: isPatient(manner) ? 50 : 0,
  // An idle process should know of a fail-over before it is asked for something.
  slotsRefreshInterval: 5_000,
  // ioredis gives a node a second, which one under load may need.
  slotsRefreshTimeout: 2_000,
  // Certificates are made out to names.
  ...(place.tls && { dnsLookup: (name, found) => found(null, name) }),
})

export const isPatient = (manner: Manner): boolean => manner.maxRetriesPerRequest === null

const credentials = ({ username, password }: SentinelPlace | ClusterPlace): RedisOptions => ({
  ...(username !== undefined && { username }),
  ...(password !== undefined && { password }),
})
