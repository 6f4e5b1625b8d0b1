import type { Cluster, Redis } from 'ioredis'
import { createOwedWrite } from './owed-write.ts'

/**
 * The version of the layout of all keys and records under a prefix. It rises with a change that processes of an earlier version
 * would misread; what they merely do not know of leaves it as it is.
 */
export const schemaVersion = 1

/**
 * Holds the layout in Redis against the one that this process knows, and writes it down where none is: an empty Redis, or one of
 * before there were versions, has version 1. Answers a sentence for the operator where the process must not start; else null.
 */
export const checkSchema = async (
  redis: Redis | Cluster,
  prefix: string,
  known = schemaVersion,
): Promise<string | null> => {
  const key = `${prefix}:schema`
  const found = await redis.get(key)
  if (found === null) {
    // A Redis that takes no writes now is told by the next process that starts.
    await createOwedWrite(redis)('SET', key, known, 'NX').catch(() => undefined)
    return null
  }
  if (Number(found) <= known) return null
  return `A newer Baton has written to this Redis: the data under the prefix \`${prefix}\` have layout ${found}, and this version knows ${known}. Start the newer version, or set \`redis.prefix\` to another prefix.`
}
