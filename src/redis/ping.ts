import type { Cluster, Redis } from 'ioredis'
import { type Keys, shards } from './keys.ts'

/** Rejects when Redis does not answer. Of a Cluster all shards must, or some jobs cannot be kept. */
export const pingRedis = async (redis: Redis | Cluster, keys: Keys): Promise<void> => {
  if (!redis.isCluster) await redis.ping()
  else await Promise.all(shards.map(shard => redis.exists(keys.schedule(shard))))
}
