import type { Cluster, Redis } from 'ioredis'
import { type Keys, shards } from '../redis/keys.ts'
import { createOwedWrite } from '../redis/owed-write.ts'

/** A place in the list of all jobs: newest first by arrival, then by shard. */
interface Place {
  readonly ms: number
  readonly seq: number
  readonly shard: number
}

export interface IndexEntry {
  readonly id: string
  /** Names this entry's place in a list. */
  readonly cursor: string
}

export interface JobIndex {
  /** Up to `limit` jobs older than `cursor`, newest first; null as cursor begins at the newest. */
  list(cursor: string | null, limit: number): Promise<readonly IndexEntry[]>
  /**
   * The next ids of the slow walk over all shards; empty while another process walks. Entries whose
   * record has passed its retention are removed on the way.
   */
  walk(perShard: number): Promise<readonly string[]>
}

type StreamEntry = [streamId: string, fields: string[]]

const leaseMs = 10_000
const betweenWalksMs = 30_000

export const parseCursor = (cursor: string): Place | null => {
  const parts = /^(\d{1,16})-(\d{1,16})-(\d{1,3})$/.exec(cursor)
  if (!parts) return null
  const place = { ms: Number(parts[1]), seq: Number(parts[2]), shard: Number(parts[3]) }
  // No entry is 0-0, and Redis takes no range that ends before it.
  return place.ms === 0 && place.seq === 0 ? null : place
}

const placeOf = (streamId: string, shard: number): Place => {
  const [ms, seq] = streamId.split('-')
  return { ms: Number(ms), seq: Number(seq), shard }
}

const newestFirst = (a: Place, b: Place): number => b.ms - a.ms || b.seq - a.seq || a.shard - b.shard

export const createJobIndex = (
  redis: Redis | Cluster,
  keys: Keys,
  instance: string,
  now: () => number,
): JobIndex => {
  const leaseKey = `${keys.prefix}:reconciler`
  const write = createOwedWrite(redis)

  const olderIn = async (shard: number, after: Place | null, limit: number) => {
    // Equal stream ids of several shards stand in the order of the shards.
    const from =
      after === null ? '+' : shard > after.shard ? `${after.ms}-${after.seq}` : `(${after.ms}-${after.seq}`
    const entries = (await redis.xrevrange(keys.index(shard), from, '-', 'COUNT', limit)) as StreamEntry[]
    return entries.map(([streamId, fields]) => ({ id: fields[1]!, place: placeOf(streamId, shard) }))
  }

  const holdsLease = async (): Promise<boolean> =>
    (await write('SET', leaseKey, instance, 'PX', leaseMs, 'NX')) === 'OK' ||
    (await redis.get(leaseKey)) === instance

  const walkShard = async (shard: number, perShard: number): Promise<string[]> => {
    const [from, restAt] = ((await redis.get(keys.reconciler(shard))) ?? '- 0').split(' ') as [string, string]
    if (Number(restAt) > now()) return []
    const entries = (await redis.xrange(keys.index(shard), from, '+', 'COUNT', perShard)) as StreamEntry[]
    const last = entries.at(-1)
    const next = entries.length < perShard || !last ? `- ${now() + betweenWalksMs}` : `(${last[0]} 0`
    await write('SET', keys.reconciler(shard), next)
    const ids = entries.map(([, fields]) => fields[1]!)
    await dropPastRetention(shard, entries, ids)
    return ids
  }

  /** Anywhere in the walk: jobs with long windows stand before those that ended long ago. */
  const dropPastRetention = async (
    shard: number,
    entries: readonly StreamEntry[],
    ids: readonly string[],
  ) => {
    const there = await Promise.all(ids.map(id => redis.exists(keys.record(id))))
    const gone = entries.filter((_, i) => there[i] === 0).map(([streamId]) => streamId)
    if (gone.length > 0) await redis.xdel(keys.index(shard), ...gone)
  }

  return {
    list: async (cursor, limit) => {
      const after = cursor === null ? null : parseCursor(cursor)
      const entries = (await Promise.all(shards.map(shard => olderIn(shard, after, limit)))).flat()
      return entries
        .sort((a, b) => newestFirst(a.place, b.place))
        .slice(0, limit)
        .map(({ id, place }) => ({ id, cursor: `${place.ms}-${place.seq}-${place.shard}` }))
    },
    walk: async perShard => {
      if (!(await holdsLease())) return []
      await redis.pexpire(leaseKey, leaseMs)
      return (await Promise.all(shards.map(shard => walkShard(shard, perShard)))).flat()
    },
  }
}
