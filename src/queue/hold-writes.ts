import type { Cluster, Redis } from 'ioredis'

/**
 * Lets the commands of this turn of the event loop leave in one system call rather than one each, which is dearer than all
 * else about a small command. `until` says when the turn is over: at the next tick for what is being written in
 * promises already, at the next immediate for what is yet to get there.
 */
export const holdWrites = (redis: Redis | Cluster, until: (over: () => void) => unknown): void => {
  // A Cluster has a connection to each of its nodes, and which of them a command takes is its own affair.
  if (!('stream' in redis)) return
  const { stream } = redis
  if (!stream || stream.writableCorked > 0) return
  stream.cork()
  until(() => stream.uncork())
}
