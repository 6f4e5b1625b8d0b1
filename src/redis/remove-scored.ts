import type { Cluster, Redis } from 'ioredis'
import { createScriptRunner, defineScript } from './scripts.ts'

/** Removes members of a sorted set that still have the score with which they were seen: what was put in anew since then stays. */
export type RemoveScored = (key: string, score: number, members: readonly string[]) => Promise<void>

const removeScored = defineScript({
  name: 'redis/remove-scored',
  lua: `
for i = 2, #ARGV do
  local score = redis.call('ZSCORE', KEYS[1], ARGV[i])
  if score and tonumber(score) == tonumber(ARGV[1]) then redis.call('ZREM', KEYS[1], ARGV[i]) end
end`,
  keys: 1,
  whenFull: 'runs',
})

export const createRemoveScored = (redis: Redis | Cluster): RemoveScored => {
  const run = createScriptRunner(redis)
  return async (key, score, members) => {
    await run(removeScored, [key, score, ...members])
  }
}
