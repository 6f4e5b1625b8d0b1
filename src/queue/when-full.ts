import type { Cluster, Redis } from 'ioredis'
import { scriptText } from '../redis/scripts.ts'

const done = new WeakSet<Redis | Cluster>()

/**
 * BullMQ defines its scripts on the connection that it is given. From there they run while Redis is full as well: all that
 * Baton has in a queue are doorbells of jobs that were accepted, and without them none of these would end.
 */
export const letQueuesRunWhenFull = (redis: Redis | Cluster): void => {
  if (done.has(redis)) return
  done.add(redis)
  const define = redis.defineCommand.bind(redis)
  redis.defineCommand = (name, definition) => {
    // Scripts of our own say themselves what they do then.
    const lua = name.startsWith('baton:') ? definition.lua : scriptText(definition.lua, 'runs')
    define(name, { ...definition, lua })
  }
}
