import type { Cluster, Redis } from 'ioredis'
import { type Keys, shardCount } from './keys.ts'

export interface DeadLetter {
  /** A job's or a batch's. */
  readonly id: string
  readonly diedAtMs: number
}

/** Jobs and batches whose webhook was given up, newest first. */
export interface DeadLetters {
  list(limit: number): Promise<readonly DeadLetter[]>
  size(): Promise<number>
}

const shards = Array.from({ length: shardCount }, (_, shard) => shard)

export const createDeadLetters = (redis: Redis | Cluster, keys: Keys): DeadLetters => {
  const newestOf = async (shard: number, limit: number): Promise<DeadLetter[]> => {
    const flat = await redis.zrevrange(keys.deadLetters(shard), 0, limit - 1, 'WITHSCORES')
    return Array.from({ length: flat.length / 2 }, (_, i) => ({
      id: flat[2 * i]!,
      diedAtMs: Number(flat[2 * i + 1]),
    }))
  }
  return {
    list: async limit =>
      (await Promise.all(shards.map(shard => newestOf(shard, limit))))
        .flat()
        .sort((a, b) => b.diedAtMs - a.diedAtMs)
        .slice(0, limit),
    size: async () => {
      const sizes = await Promise.all(shards.map(shard => redis.zcard(keys.deadLetters(shard))))
      return sizes.reduce((sum, size) => sum + size, 0)
    },
  }
}
