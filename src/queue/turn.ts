import type { Cluster, Redis } from 'ioredis'
import { createOwedWrite } from '../redis/owed-write.ts'

/**
 * Long enough that its holder renews the turn in time, short enough that another soon follows one that died.
 */
const turnMs = 5_000

/**
 * Whether this process is the one to do something that one process is enough for: it is until it has not asked for some
 * seconds. Two that do it for a moment must do no harm.
 */
export const createTurn = (redis: Redis | Cluster, prefix: string, instance: string) => {
  const write = createOwedWrite(redis)
  return async (name: string): Promise<boolean> => {
    const key = `${prefix}:{turn}:${name}`
    if ((await write('SET', key, instance, 'PX', turnMs, 'NX')) === 'OK') return true
    if ((await redis.get(key)) !== instance) return false
    await redis.pexpire(key, turnMs)
    return true
  }
}
