/**
 * What a script does while Redis has more than its `maxmemory`.
 *
 * `refused`: it makes something new. Redis refuses its first write then, which must be one that takes memory, so that nothing
 * of it is there; what it only reads (that a request came before) it still answers.
 * `runs`: it ends, moves, expires, collects, delivers, or says that somebody is alive. All that frees memory, or is owed to
 * what was accepted, so it may go over the limit.
 */
export type WhenFull = 'refused' | 'runs'

/**
 * Read by Redis 7.0 and later. A script with such a line may not touch keys of two slots of a Cluster, and is refused as a
 * whole where writes are (a replica, a full disk): neither matters here, as each of ours keeps to one slot.
 */
const runsLine = '#!lua flags=allow-oom\n'

export const scriptText = (lua: string, whenFull: WhenFull): string =>
  whenFull === 'runs' ? runsLine + lua : lua

/** Whether Redis refused a command because it is full. */
export const isFullReply = (error: unknown): boolean =>
  error instanceof Error && error.name === 'ReplyError' && /\bOOM\b/.test(error.message)
