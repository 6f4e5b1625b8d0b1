import type { Cluster, Redis } from 'ioredis'
import { scriptText } from './when-full.ts'

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

const name = 'baton:owed-write'
const lua = 'return redis.call(ARGV[1], KEYS[1], unpack(ARGV, 2))'

type Run = (...args: readonly (string | number | Buffer)[]) => Promise<unknown>

export const createOwedWrite = (redis: Redis | Cluster): OwedWrite => {
  redis.defineCommand(name, { lua: scriptText(lua, 'runs'), numberOfKeys: 1 })
  const run = (redis as unknown as Record<string, Run>)[name]!.bind(redis)
  return (command, key, ...args) => run(key, command, ...args)
}
