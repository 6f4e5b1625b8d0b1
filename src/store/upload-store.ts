import type { FileRecord } from './file-record.ts'
import { fileFields } from './file-record.ts'
import type { FileStoreOptions } from './file-store.ts'
import { coreOf, isUploadId, shardOf } from './keys.ts'
import { formatSegment, type Segment } from './segment.ts'
import {
  parseUpload,
  type UploadRecord,
  type UploadStatus,
  uploadFields,
  uploadGraceMs,
} from './upload-record.ts'

/** More parts than this make no sense at any size that is taken. */
export const maxParts = 10_000

/** Why nothing was done: what the upload is instead of pending, or `gone` when it is forgotten. */
export type UploadClosed = Exclude<UploadStatus, 'pending'> | 'gone'

/** Uploads in parts. The states: pending, then completed, cancelled or expired for good. */
export interface UploadStore {
  /** Before its first part: an upload and its parts are removed some time after it ended without a file. */
  create(upload: Omit<UploadRecord, 'status'>): Promise<void>
  /** Also some time after its end. */
  read(id: string): Promise<UploadRecord | null>
  /** Takes up a part whose bytes are durable under `partKey`. */
  addPart(id: string, partId: string, bytes: number): Promise<'added' | 'too_many' | UploadClosed>
  /** The bytes of each part. */
  parts(id: string): Promise<ReadonlyMap<string, number>>
  /** Makes the upload a file, in one step. */
  complete(id: string, file: FileRecord, segments: readonly Segment[]): Promise<'done' | UploadClosed>
  cancel(id: string): Promise<'done' | UploadClosed>
}

/** An upload and its file share all but the prefix. */
export const fileIdOf = (uploadId: string): string => `file-${coreOf(uploadId)}`

/** The blob of a part. */
export const partKey = (uploadId: string, partId: string): string => `${coreOf(uploadId)}/${coreOf(partId)}`

export const createUploadStore = ({
  redis,
  run,
  keys,
  now,
}: Omit<FileStoreOptions, 'blobs'>): UploadStore => {
  const purgeKey = (id: string): string => keys.purge(shardOf(id))

  return {
    create: async upload => {
      const { id, expiresAtMs } = upload
      const purgeAtMs = expiresAtMs + uploadGraceMs
      await run('upload-create', [keys.upload(id), purgeKey(id), id, purgeAtMs, ...uploadFields(upload)])
    },

    read: async id => (isUploadId(id) ? parseUpload(id, await redis.hgetall(keys.upload(id)), now()) : null),

    addPart: async (id, partId, bytes) =>
      (await run('upload-part', [keys.upload(id), keys.parts(id), now(), partId, bytes, maxParts])) as
        | 'added'
        | 'too_many'
        | UploadClosed,

    parts: async id => {
      const sizes = await redis.hgetall(keys.parts(id))
      return new Map(Object.entries(sizes).map(([partId, bytes]) => [partId, Number(bytes)]))
    },

    complete: async (id, file, segments) => {
      await redis.zadd(keys.files(file.tenant), 0, file.id)
      const fields = fileFields(file)
      return (await run('upload-complete', [
        keys.upload(id),
        keys.parts(id),
        keys.file(file.id),
        keys.segments(file.id),
        purgeKey(id),
        id,
        file.id,
        now(),
        uploadGraceMs,
        file.expiresAtMs ?? 0,
        fields.length,
        ...fields,
        ...segments.map(formatSegment),
      ])) as 'done' | UploadClosed
    },

    cancel: async id =>
      (await run('upload-cancel', [keys.upload(id), purgeKey(id), id, now()])) as 'done' | UploadClosed,
  }
}
