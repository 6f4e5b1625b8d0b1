import type { Cluster, Redis } from 'ioredis'
import { createScriptRunner, defineScript } from './scripts.ts'

/** Commands that make nothing new, and that Redis would refuse while it is full. */
export type OwedCommand = 'APPEND' | 'HSET' | 'SET' | 'ZADD'

/**
 * Runs one command as part of what is owed to jobs, batches and files that exist: also while Redis has more than its
 * `maxmemory`. A plain command is for what a client makes, or what may be left out.
 */
export type OwedWrite = (
  command: OwedCommand,
  key: string,
  ...args: readonly (string | number | Buffer)[]
) => Promise<unknown>

const owedWrite = defineScript({
  name: 'redis/owed-write',
  lua: 'return redis.call(ARGV[1], KEYS[1], unpack(ARGV, 2))',
  keys: 1,
  whenFull: 'runs',
})

export const createOwedWrite = (redis: Redis | Cluster): OwedWrite => {
  const run = createScriptRunner(redis)
  return (command, key, ...args) => run(owedWrite, [key, command, ...args])
}
