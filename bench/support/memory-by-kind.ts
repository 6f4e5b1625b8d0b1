import type { Redis } from 'ioredis'
import { shardOf } from '../../src/redis/keys.ts'
import { batonQueue, keys } from './queue-state.ts'

export type Kind =
  | 'record'
  | 'body'
  | 'place in the queue'
  | 'schedule'
  | 'list of jobs'
  | 'lists by state'
  | 'live jobs'
  | 'the rest'

const perScan = 5_000

/** Sorts a deployment's keys by what they are kept for. `anyId` is that of any job. */
const kindsOf = (anyId: string): ((key: string) => Kind) => {
  const inShard = (pattern: (shard: number) => string): RegExp =>
    new RegExp(
      `^${pattern(shardOf(anyId))
        .replace(/\{\d+\}/, '{\\d+}')
        .replace(anyId, '.+')}$`,
    )
  const kinds: readonly (readonly [Kind, RegExp])[] = [
    ['record', inShard(() => keys.record(anyId))],
    ['body', inShard(() => keys.payload(anyId))],
    ['schedule', inShard(keys.schedule)],
    ['list of jobs', inShard(keys.index)],
    ['lists by state', inShard(shard => keys.list(shard, 'open'))],
    ['live jobs', inShard(keys.live)],
  ]
  return key => {
    if (key.startsWith(`${batonQueue}:`)) return 'place in the queue'
    return kinds.find(([, pattern]) => pattern.test(key))?.[0] ?? 'the rest'
  }
}

/**
 * Redis's own count of every key (its name, its value and their bookkeeping), in bytes, summed by kind. A difference of
 * `used_memory` would hold all that Redis does meanwhile: buffers, tables that grow, scripts that are kept.
 */
export const memoryByKind = async (redis: Redis, anyId: string): Promise<ReadonlyMap<Kind, number>> => {
  const kindOf = kindsOf(anyId)
  const sums = new Map<Kind, number>()
  let cursor = '0'
  do {
    const [next, names] = await redis.scan(cursor, 'COUNT', perScan)
    const look = redis.pipeline()
    for (const name of names) look.memory('USAGE', name, 'SAMPLES', 0)
    const answers = (await look.exec())!
    for (const [i, name] of names.entries()) {
      const [error, bytes] = answers[i]!
      if (error) throw error
      sums.set(kindOf(name), (sums.get(kindOf(name)) ?? 0) + Number(bytes ?? 0))
    }
    cursor = next
  } while (cursor !== '0')
  return sums
}
