import type { Cluster, Redis } from 'ioredis'
import { createKeys, shards } from './keys.ts'
import { createOwedWrite } from './owed-write.ts'

/**
 * The version of the layout of all keys and records under a prefix. It rises with a change that processes of an earlier version
 * would misread; what they merely do not know of leaves it as it is.
 */
export const schemaVersion = 1

/** What only data from before there were versions has: its schedules had another name. */
const unversionedKeys = (prefix: string): string[] => {
  const { schedule } = createKeys(prefix)
  return shards.map(shard => schedule(shard).replace(/schedule$/, 'agenda'))
}

/**
 * Holds the layout in Redis against the one that this process knows, and writes it down where there is none yet. Answers a
 * sentence for the operator where the process must not start; else null.
 */
export const checkSchema = async (
  redis: Redis | Cluster,
  prefix: string,
  known = schemaVersion,
): Promise<string | null> => {
  const key = `${prefix}:schema`
  const found = await redis.get(key)
  if (found === null) {
    const old = await Promise.all(unversionedKeys(prefix).map(name => redis.exists(name)))
    if (old.includes(1)) {
      return `An older Baton has written to this Redis: the data under the prefix \`${prefix}\` have no layout that this version knows. Let the older version end its jobs, or set \`redis.prefix\` to another prefix.`
    }
    // If Redis takes no writes now, the next process that starts writes it.
    await createOwedWrite(redis)('SET', key, known, 'NX').catch(() => undefined)
    return null
  }
  if (Number(found) <= known) return null
  return `A newer Baton has written to this Redis: the data under the prefix \`${prefix}\` have layout ${found}, and this version knows ${known}. Start the newer version, or set \`redis.prefix\` to another prefix.`
}
