import type { Cluster, Redis } from 'ioredis'

/**
 * Lets the commands that are given to a connection in this turn of the event loop leave in one system call: a call for each is
 * dearer than all else about a small command. They wait for nothing but the end of the turn.
 */
export const holdWrites = (redis: Redis | Cluster): void => {
  // A Cluster has a connection to each of its nodes, and which of them a command takes is its own affair.
  if (!('stream' in redis)) return
  const { stream } = redis
  if (!stream || stream.writableCorked > 0) return
  stream.cork()
  process.nextTick(() => stream.uncork())
}
