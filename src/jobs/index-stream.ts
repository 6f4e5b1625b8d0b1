import type { Cluster, Redis } from 'ioredis'
import { type Keys, shards } from '../redis/keys.ts'

/** A place in the list of all jobs: newest first by arrival, then by shard. */
export interface Place {
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
}

type StreamEntry = [streamId: string, fields: string[]]

export const parseCursor = (cursor: string): Place | null => {
  const parts = /^(\d{1,16})-(\d{1,16})-(\d{1,3})$/.exec(cursor)
  if (!parts) return null
  const place = { ms: Number(parts[1]), seq: Number(parts[2]), shard: Number(parts[3]) }
  // No entry is 0-0, and Redis takes no range that ends before it.
  return place.ms === 0 && place.seq === 0 ? null : place
}

export const placeOf = (streamId: string, shard: number): Place => {
  const [ms, seq] = streamId.split('-')
  return { ms: Number(ms), seq: Number(seq), shard }
}

export const formatPlace = ({ ms, seq, shard }: Place): string => `${ms}-${seq}-${shard}`

/** What comes after a place in a shard, as XREVRANGE takes it. Equal stream ids of several shards stand in the order of the shards. */
export const newestIn = (shard: number, after: Place | null): string => {
  if (after === null) return '+'
  return shard > after.shard ? `${after.ms}-${after.seq}` : `(${after.ms}-${after.seq}`
}

export const newestFirst = (a: Place, b: Place): number => b.ms - a.ms || b.seq - a.seq || a.shard - b.shard

export const createJobIndex = (redis: Redis | Cluster, keys: Keys): JobIndex => {
  const olderIn = async (shard: number, after: Place | null, limit: number) => {
    const from = newestIn(shard, after)
    const entries = (await redis.xrevrange(keys.index(shard), from, '-', 'COUNT', limit)) as StreamEntry[]
    return entries.map(([streamId, fields]) => ({ id: fields[1]!, place: placeOf(streamId, shard) }))
  }

  return {
    list: async (cursor, limit) => {
      const after = cursor === null ? null : parseCursor(cursor)
      const entries = (await Promise.all(shards.map(shard => olderIn(shard, after, limit)))).flat()
      return entries
        .sort((a, b) => newestFirst(a.place, b.place))
        .slice(0, limit)
        .map(({ id, place }) => ({ id, cursor: formatPlace(place) }))
    },
  }
}
