import type { Cluster, Redis } from 'ioredis'
import { scriptText } from './when-full.ts'

/** Removes members of a sorted set that still have the score with which they were seen: what was put in anew since then stays. */
export type RemoveScored = (key: string, score: number, members: readonly string[]) => Promise<void>

const name = 'baton:remove-scored'
const lua = `
for i = 2, #ARGV do
  local score = redis.call('ZSCORE', KEYS[1], ARGV[i])
  if score and tonumber(score) == tonumber(ARGV[1]) then redis.call('ZREM', KEYS[1], ARGV[i]) end
end`

type Run = (...args: readonly (string | number)[]) => Promise<unknown>

export const createRemoveScored = (redis: Redis | Cluster): RemoveScored => {
  redis.defineCommand(name, { lua: scriptText(lua, 'runs'), numberOfKeys: 1 })
  const run = (redis as unknown as Record<string, Run>)[name]!.bind(redis)
  return async (key, score, members) => {
    await run(key, score, ...members)
  }
}
