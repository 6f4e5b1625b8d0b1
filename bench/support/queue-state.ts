import type { Redis } from 'ioredis'
import { createKeys } from '../../src/store/keys.ts'
import { provider } from './deployment.ts'
import { until } from './until.ts'

/** The keys of a deployment that keeps the prefix as shipped. */
export const keys = createKeys('baton')
export const batonQueue = `${keys.prefix}:{provider.${provider}}`

/** Jobs that wait in a BullMQ queue or are being worked on. */
export const openJobs = async (redis: Redis, queue: string): Promise<number> => {
  const [waiting, active] = await Promise.all([redis.llen(`${queue}:wait`), redis.llen(`${queue}:active`)])
  return waiting + active
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
