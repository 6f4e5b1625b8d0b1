import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BlobStore } from '../../src/files/blobs/blob-store.ts'
import { createDiskBlobs } from '../../src/files/blobs/disk-blobs.ts'
import type { FileRecord } from '../../src/files/record.ts'
import { createFileStore, type FileStore } from '../../src/files/store.ts'
import { createUploadStore, type UploadStore } from '../../src/files/upload-store.ts'
import { newFileId, ulidOf } from '../../src/redis/keys.ts'
import { createScriptRunner } from '../../src/redis/scripts.ts'
import { openStore, type StoreFixture } from '../jobs/store-fixture.ts'

export interface FileFixture {
  readonly base: StoreFixture
  readonly blobs: BlobStore
  readonly files: FileStore
  readonly uploads: UploadStore
  newFile(more?: Partial<FileRecord>): FileRecord
  /** Writes a file of these words, each a segment, as the API does. */
  stored(words: readonly string[], more?: Partial<FileRecord>): Promise<FileRecord>
  /** Groups with blobs in them. */
  groups(): Promise<readonly string[]>
  /** Every key of the store but its sorted sets, which stay empty or go by themselves. */
  recordKeys(): Promise<readonly string[]>
  /** When a file or an upload is to be purged; null when it is not. */
  purgeAt(id: string): Promise<number | null>
  close(): Promise<void>
}

export async function* bytesFrom(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

/** The real stores on a directory of their own. `wrap` comes between them and it. */
export const openFiles = async (wrap = (disk: BlobStore): BlobStore => disk): Promise<FileFixture> => {
  const base = openStore()
  const { redis, keys, clock } = base
  const dir = await mkdtemp(join(tmpdir(), 'baton-files-'))
  const blobs = wrap(createDiskBlobs(dir))
  const parts = { redis, keys, blobs, run: createScriptRunner(redis), now: () => clock.nowMs }
  const files = createFileStore(parts)

  const newFile = (more: Partial<FileRecord> = {}): FileRecord => ({
    id: newFileId(7, clock.nowMs),
    tenant: 'default',
    purpose: 'user_data',
    filename: 'a.txt',
    bytes: 0,
    createdAtMs: clock.nowMs,
    expiresAtMs: null,
    ...more,
  })

  return {
    base,
    blobs,
    files,
    uploads: createUploadStore(parts),
    newFile,
    stored: async (words, more) => {
      const file = newFile({ bytes: words.join('').length, ...more })
      await files.reserve(file.id, file.tenant)
      const segments = words.map((word, i) => ({ key: `${ulidOf(file.id)}/${i}`, bytes: word.length }))
      for (const [i, word] of words.entries()) await blobs.write(segments[i]!.key, bytesFrom(word))
      await files.create(file, segments)
      return file
    },
    groups: async () => (await readdir(dir)).filter(name => !name.startsWith('.')),
    recordKeys: async () => {
      const all = await redis.keys(`${keys.prefix}:*`)
      const types = await Promise.all(all.map(key => redis.type(key)))
      return all.filter((_, i) => types[i] !== 'zset')
    },
    purgeAt: async id => {
      const all = await redis.keys(`${keys.prefix}:*:purge`)
      for (const key of all) {
        const score = await redis.zscore(key, id)
        if (score !== null) return Number(score)
      }
      return null
    },
    close: async () => {
      base.close()
      await rm(dir, { recursive: true, force: true })
    },
  }
}
