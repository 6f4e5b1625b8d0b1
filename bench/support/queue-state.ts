import type { Redis } from 'ioredis'
import { until } from '../../harness/until.ts'
import { queueClasses } from '../../src/domain/place.ts'
import { providerQueue, queueName } from '../../src/queue/doorbells.ts'
import { createKeys, shardCount } from '../../src/redis/keys.ts'
import { provider } from './deployment.ts'

/** The keys of a deployment that keeps the prefix as shipped. */
export const keys = createKeys('baton')
/** Where a queue's keys are: `webhookQueue`, or a `providerQueue`. */
export const placeOf = (queue: string): string => `${keys.prefix}:${queueName(queue)}`
export const batonQueue = placeOf(providerQueue(provider))

/** Jobs that wait in a BullMQ queue or are being worked on; of a queue of Baton's, those that wait or are about to be claimed. */
export const openJobs = async (redis: Redis, queue: string): Promise<number> => {
  const lengths = await Promise.all([
    redis.llen(`${queue}:wait`),
    redis.llen(`${queue}:active`),
    redis.hlen(`${queue}:ready:taken`),
    redis.hmget(`${queue}:ready`, ...waitingFields),
  ])
  return lengths.flat().reduce<number>((sum, length) => sum + Number(length), 0)
}

const waitingFields = queueClasses.map(name => `waiting:${name}`)

/**
 * Whether all jobs are at their end. One that is not waits in a queue, or stands in the schedule: as owed to a queue or as
 * leased to a worker. It is asked in one transaction, as jobs go to and fro between the two.
 */
export const allSettled = async (redis: Redis, queues: readonly string[]): Promise<boolean> => {
  const look = redis.multi()
  for (const queue of queues) look.hlen(`${queue}:ready:taken`).hmget(`${queue}:ready`, ...waitingFields)
  for (let shard = 0; shard < shardCount; shard++) look.zcard(keys.schedule(shard))
  const answers = await look.exec()
  return answers!.every(([error, found]) => error === null && [found].flat().every(length => !Number(length)))
}

export const hasSucceeded = async (redis: Redis, jobId: string): Promise<boolean> =>
  (await redis.hget(keys.record(jobId), 'state')) === 'succeeded'

/** Rejects when one of the jobs did not succeed: a figure for work that was not done would be worth nothing. */
export const assertSucceeded = async (redis: Redis, jobIds: readonly string[]): Promise<void> => {
  const succeeded = await Promise.all(jobIds.map(id => hasSucceeded(redis, id)))
  const others = succeeded.filter(yes => !yes).length
  if (others > 0) throw new Error(`${others} of ${jobIds.length} jobs did not succeed`)
}

/**
 * Lets Redis write its append-only file anew. It does so by itself whenever the file has doubled, in a process that
 * takes half of a small machine for a second: whichever round that falls into would pay for all before it.
 */
export const compactFile = async (redis: Redis): Promise<void> => {
  await redis.bgrewriteaof()
  await until(async () => {
    const info = await redis.info('persistence')
    return info.includes('aof_rewrite_in_progress:0') && info.includes('aof_rewrite_scheduled:0')
  })
}
