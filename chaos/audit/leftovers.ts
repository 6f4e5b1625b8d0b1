import type { Redis } from 'ioredis'
import type { Leftover } from './evidence.ts'

/** What may stay in Redis when all has ended. */
export interface Remains {
  readonly prefix: string
  /** Accepted jobs, by id; true for those whose request is kept for a retry. */
  readonly jobs: ReadonlyMap<string, boolean>
  /** The 26 characters after the prefix of each accepted batch. */
  readonly batchCores: ReadonlySet<string>
}

/**
 * Kinds of keys that hold the past, or only a position: files, indexes, the time, what jobs used, marks that expire by
 * themselves.
 */
const harmless =
  /^(?:reconciler|schema|providers|reloaded-at)$|^\{(?:\d+)\}:(?:i|bi|f|fs|index|listed|kinds|pairs|reconciler|purge|dead|usage)(?::|$)|^\{clock\}$|^\{(?:files|batches|health|limits|turn)\}:/
/** A queue's own marks, what its ready list counts, and what its workers reported. */
const harmlessInQueue = /^(?:meta|id|events|marker|stalled-check|ready|ready:room)$/

interface Found {
  readonly where: string
  readonly what: string
}

/** What stands in Redis and should not, by kind of key. Reads all keys of the prefix. */
export const findLeftovers = async (redis: Redis, remains: Remains): Promise<readonly Leftover[]> => {
  const found: Found[] = []
  for await (const keys of redis.scanStream({ match: `${remains.prefix}:*`, count: 1_000 })) {
    for (const key of keys as string[]) found.push(...(await inspect(redis, key, remains)))
  }
  return [...Map.groupBy(found, ({ where }) => where)].map(([where, all]) => ({
    where,
    count: all.length,
    sample: all.slice(0, 5).map(({ what }) => what),
  }))
}

const inspect = async (redis: Redis, key: string, remains: Remains): Promise<Found[]> => {
  const name = key.slice(remains.prefix.length + 1)
  if (harmless.test(name)) return []
  const [, tag, rest = ''] = /^\{([^}]*)\}:(.*)$/.exec(name) ?? []
  if (tag === undefined) return [unknown(key)]
  return /^\d+$/.test(tag) ? inShard(redis, key, rest, remains) : inQueue(redis, key, tag, rest)
}

const unknown = (key: string): Found => ({ where: 'keys of no known kind', what: key })

const inShard = async (redis: Redis, key: string, rest: string, remains: Remains): Promise<Found[]> => {
  const [kind, id = ''] = rest.split(':') as [string, string?]
  if (kind === 'schedule' || kind === 'batches') {
    return (await redis.zrange(key, '0', '-1')).map(what => ({
      where: kind === 'schedule' ? 'the schedule' : 'the open batches',
      what,
    }))
  }
  // Jobs by how they ended; `open` has those that have not.
  if (kind === 'list') {
    const ids = (await redis.zrange(key, '0', '-1')).map(entry => `job_${entry.slice(0, 26)}`)
    return ids
      .filter(job => id === 'open' || !remains.jobs.has(job))
      .map(what => ({ where: `the list of jobs (${id})`, what }))
  }
  if (kind === 'j') return remains.jobs.has(id) ? [] : [{ where: 'records of jobs', what: id }]
  // The log of a stream stays for readers that were cut off.
  if (kind === 'l') return remains.jobs.has(id) ? [] : [{ where: 'logs of streams', what: id }]
  // An answered request is not kept.
  if (kind === 'p') return remains.jobs.get(id) ? [] : [{ where: 'bodies of requests', what: id }]
  if (kind === 'bd') return [{ where: 'done lines of batches', what: id }]
  if (kind === 'b') {
    if (!remains.batchCores.has(id)) return [{ where: 'records of batches', what: id }]
    return (await redis.hexists(key, 'lease')) ? [{ where: 'leases of batches', what: id }] : []
  }
  return [unknown(key)]
}

const inQueue = async (redis: Redis, key: string, queue: string, rest: string): Promise<Found[]> => {
  if (harmlessInQueue.test(rest)) return []
  const where = `the queue ${queue} (${rest})`
  const type = await redis.type(key)
  const members =
    type === 'list'
      ? await redis.lrange(key, 0, -1)
      : type === 'zset'
        ? await redis.zrange(key, '0', '-1')
        : type === 'set'
          ? await redis.smembers(key)
          : [rest]
  return members.map(what => ({ where, what }))
}
