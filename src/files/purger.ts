import type { Cluster, Redis } from 'ioredis'
import { isUploadId, type Keys, shardOf, shards, ulidOf } from '../redis/keys.ts'
import type { RunScript } from '../redis/scripts.ts'
import type { BlobStore } from './blobs/blob-store.ts'
import { freeQuota } from './quotas.ts'
import { fileScripts } from './scripts.ts'
import { uploadGraceMs } from './upload-record.ts'

/** A file that a running batch reads is looked at again after this. */
const busyMs = 10 * 60_000
/** A purge that was begun and not finished is begun again after this. */
const leaseMs = 5 * 60_000

export interface FileStoreOptions {
  readonly redis: Redis | Cluster
  readonly run: RunScript
  readonly keys: Keys
  readonly blobs: BlobStore
  readonly now: () => number
}

export interface FilePurger {
  /** Up to `limit` of every shard. Does all it can, then throws the first error there was. */
  purgeDue(limit: number): Promise<number>
  /** Removes what is left of a file or an upload that is due. False when it is not, or a batch still reads it. */
  purge(id: string): Promise<boolean>
}

/** Removes the bytes of files that were deleted, have expired, or never came to be. Any number of processes may. */
export const createFilePurger = ({ redis, run, keys, blobs, now }: FileStoreOptions): FilePurger => {
  const purge = async (id: string): Promise<boolean> => {
    const isUpload = isUploadId(id)
    const names = isUpload ? [keys.upload(id), keys.parts(id)] : [keys.file(id), keys.segments(id)]
    const purgeKey = keys.purge(shardOf(id))
    const reply = await run(fileScripts.takePurge, [
      names[0]!,
      purgeKey,
      id,
      now(),
      now() + busyMs,
      now() + leaseMs,
    ])
    if (reply === null) return false
    const [tenant, expires] = reply as [string, string]
    await blobs.removeGroup(ulidOf(id))
    if (!isUpload && tenant) await redis.zrem(keys.files(tenant), id)
    if (tenant) await freeQuota(run, keys, tenant, id)
    // A part may have been on its way when its upload was cancelled: once more when none can be any longer.
    const lastAtMs = isUpload ? Number(expires) + uploadGraceMs : 0
    await run(fileScripts.endPurge, [...names, purgeKey, id, lastAtMs > now() ? lastAtMs : 0])
    return true
  }

  const dueIn = (shard: number, limit: number): Promise<string[]> =>
    redis.zrange(keys.purge(shard), '-inf', String(now()), 'BYSCORE', 'LIMIT', 0, limit)

  return {
    purge,
    purgeDue: async limit => {
      const due = (await Promise.all(shards.map(shard => dueIn(shard, limit)))).flat()
      let purged = 0
      let firstError: unknown = null
      // One at a time: no request waits for it, and the blob store has other work.
      for (const id of due) {
        try {
          if (await purge(id)) purged += 1
        } catch (error) {
          firstError ??= error
        }
      }
      if (firstError !== null) throw firstError
      return purged
    },
  }
}
