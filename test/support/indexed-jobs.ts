import type { Cluster, Redis } from 'ioredis'
import { type Keys, shards } from '../../src/redis/keys.ts'

/** The ids that stand in the index of all shards, the newest arrivals of each first. */
export const indexedJobs = async (redis: Redis | Cluster, keys: Keys): Promise<string[]> => {
  const entries = await Promise.all(shards.map(shard => redis.xrevrange(keys.index(shard), '+', '-')))
  return (entries as [string, string[]][][]).flat().map(([, fields]) => fields[1]!)
}
