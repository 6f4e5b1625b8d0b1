import { isFileId, shardOf, ulidOf } from '../redis/keys.ts'
import { createOwedWrite } from '../redis/owed-write.ts'
import { createFilePurger, type FileStoreOptions } from './purger.ts'
import { freeQuota } from './quotas.ts'
import {
  type FileRecord,
  fileFields,
  formatSegment,
  parseFile,
  parseSegment,
  type Segment,
} from './record.ts'
import { fileScripts } from './scripts.ts'
/** An API that dies while bytes arrive leaves them behind for this long. No request may take longer. */
export const reservedMs = 2 * 3_600_000

/** Records read at a time while a list is gone through. */
const listChunk = 500

export interface FileQuery {
  /** The last id of the page before. */
  readonly after: string | null
  readonly limit: number
  readonly order: 'asc' | 'desc'
  readonly purpose: string | null
}

export interface FilePage {
  readonly files: readonly FileRecord[]
  readonly hasMore: boolean
}

/** A file's bytes lie in the blob store; its record says who may see them, and until when. */
export interface FileStore {
  /** Before the first byte is written: what no record follows is removed at `untilMs`, in two hours by default. */
  reserve(id: string, tenant: string, untilMs?: number): Promise<void>
  /** Removes what was written for a file that is not to be. Never after `create` was tried. */
  abandon(id: string): Promise<void>
  /** Makes the file visible, once its bytes are durable. False when the reservation ran out and they are gone. */
  create(file: FileRecord, segments: readonly Segment[]): Promise<boolean>
  /** Null also when it is deleted or past its expiry. */
  read(id: string): Promise<FileRecord | null>
  /** Where the bytes are; also of a file that still grows and has no record. */
  segments(id: string): Promise<readonly Segment[]>
  list(tenant: string, query: FileQuery): Promise<FilePage | 'unknown_cursor'>
  /** Hides the file at once and removes its bytes, unless a batch still reads them. False: there is no such file. */
  remove(id: string): Promise<boolean>
  /** One round of the purger: up to `limit` files and uploads of every shard. Answers how many are gone. */
  purgeDue(limit: number): Promise<number>
}

export const createFileStore = (options: FileStoreOptions): FileStore => {
  const { redis, run, keys, blobs, now } = options
  const purger = createFilePurger(options)
  const write = createOwedWrite(redis)
  const purgeKey = (id: string): string => keys.purge(shardOf(id))

  const read = async (id: string): Promise<FileRecord | null> =>
    parseFile(id, await redis.hgetall(keys.file(id)), now())

  /** Ids are ordered by time, so any id is a position in the list, even one that was deleted meanwhile. */
  const idsFrom = (tenant: string, order: FileQuery['order'], after: string | null): Promise<string[]> =>
    order === 'asc'
      ? redis.zrange(keys.files(tenant), after ? `(${after}` : '-', '+', 'BYLEX', 'LIMIT', 0, listChunk)
      : redis.zrange(
          keys.files(tenant),
          after ? `(${after}` : '+',
          '-',
          'BYLEX',
          'REV',
          'LIMIT',
          0,
          listChunk,
        )

  return {
    reserve: async (id, tenant, untilMs = now() + reservedMs) => {
      await run(fileScripts.reserve, [keys.file(id), purgeKey(id), id, tenant, untilMs])
    },

    abandon: async id => {
      const tenant = await redis.hget(keys.file(id), 'tenant')
      await blobs.removeGroup(ulidOf(id))
      if (tenant) await freeQuota(run, keys, tenant, id)
      await run(fileScripts.endPurge, [keys.file(id), keys.segments(id), purgeKey(id), id, 0])
    },

    create: async (file, segments) => {
      const { id } = file
      // First, so that no record is ever missing from the list; a member without one is passed over.
      await write('ZADD', keys.files(file.tenant), 0, id)
      const fields = fileFields(file)
      const reply = await run(fileScripts.create, [
        keys.file(id),
        keys.segments(id),
        purgeKey(id),
        id,
        file.expiresAtMs ?? 0,
        fields.length,
        ...fields,
        ...segments.map(formatSegment),
      ])
      return reply === 1
    },

    read,

    segments: async id => (await redis.lrange(keys.segments(id), 0, -1)).map(parseSegment),

    list: async (tenant, { after, limit, order, purpose }) => {
      if (after !== null && !isFileId(after)) return 'unknown_cursor'
      const files: FileRecord[] = []
      for (let place = after; ; ) {
        const ids = await idsFrom(tenant, order, place)
        for (const file of await Promise.all(ids.map(read))) {
          if (file === null || (purpose !== null && file.purpose !== purpose)) continue
          if (files.length === limit) return { files, hasMore: true }
          files.push(file)
        }
        if (ids.length < listChunk) return { files, hasMore: false }
        place = ids.at(-1)!
      }
    },

    remove: async id => {
      const removed = await run(fileScripts.remove, [keys.file(id), purgeKey(id), id, now()])
      if (removed !== 1) return false
      // It is out of sight; where its bytes cannot be removed now, the purger comes by again.
      await purger.purge(id).catch(() => undefined)
      return true
    },

    purgeDue: purger.purgeDue,
  }
}
