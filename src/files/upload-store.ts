import { isPartId, isUploadId, shardOf, ulidOf } from '../redis/keys.ts'
import { createOwedWrite } from '../redis/owed-write.ts'
import type { FileStoreOptions } from './purger.ts'
import type { FileRecord } from './record.ts'
import { fileFields, formatSegment, type Segment } from './record.ts'
import { uploadScripts } from './scripts.ts'
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

export interface NewPart {
  readonly id: string
  readonly bytes: number
  /** The same exactly when the request is; without spaces. */
  readonly fingerprint: string
  /** The client may have sent this before: a part with the same fingerprint is the answer. */
  readonly replay: boolean
}

/** `same`: taken up before, under that id; what was written for this one is not needed. */
export type PartAdded = 'added' | { readonly same: string } | 'too_many' | 'too_much' | UploadClosed

/** Uploads in parts. The states: pending, then completed, cancelled or expired for good. */
export interface UploadStore {
  /** Before its first part: an upload and its parts are removed some time after it ended without a file. */
  create(upload: Omit<UploadRecord, 'status'>): Promise<void>
  /** Also some time after its end. */
  read(id: string): Promise<UploadRecord | null>
  /** Takes up a part whose bytes are durable under `partKey`: never more than the upload announced. */
  addPart(id: string, part: NewPart): Promise<PartAdded>
  /** The bytes of each part. */
  parts(id: string): Promise<ReadonlyMap<string, number>>
  /** Makes the upload a file, in one step. */
  complete(id: string, file: FileRecord, segments: readonly Segment[]): Promise<'done' | UploadClosed>
  cancel(id: string): Promise<'done' | UploadClosed>
}

/** An upload and its file share all but the prefix. */
export const fileIdOf = (uploadId: string): string => `file-${ulidOf(uploadId)}`

/** The blob of a part. */
export const partKey = (uploadId: string, partId: string): string => `${ulidOf(uploadId)}/${ulidOf(partId)}`

export const createUploadStore = ({
  redis,
  run,
  keys,
  now,
}: Omit<FileStoreOptions, 'blobs'>): UploadStore => {
  const purgeKey = (id: string): string => keys.purge(shardOf(id))
  const write = createOwedWrite(redis)

  return {
    create: async upload => {
      const { id, expiresAtMs } = upload
      const purgeAtMs = expiresAtMs + uploadGraceMs
      await run(uploadScripts.create, [keys.upload(id), purgeKey(id), id, purgeAtMs, ...uploadFields(upload)])
    },

    read: async id => (isUploadId(id) ? parseUpload(id, await redis.hgetall(keys.upload(id)), now()) : null),

    addPart: async (id, { id: partId, bytes, fingerprint, replay }) => {
      const part = [partId, bytes, maxParts, fingerprint, replay ? 1 : 0]
      const reply = await run(uploadScripts.addPart, [keys.upload(id), keys.parts(id), now(), ...part])
      return isPartId(reply as string)
        ? { same: reply as string }
        : (reply as Exclude<PartAdded, { readonly same: string }>)
    },

    parts: async id => {
      const sizes = await redis.hgetall(keys.parts(id))
      return new Map(Object.entries(sizes).map(([partId, part]) => [partId, Number.parseInt(part, 10)]))
    },

    complete: async (id, file, segments) => {
      await write('ZADD', keys.files(file.tenant), 0, file.id)
      const fields = fileFields(file)
      return (await run(uploadScripts.complete, [
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
      (await run(uploadScripts.cancel, [keys.upload(id), purgeKey(id), id, now()])) as 'done' | UploadClosed,
  }
}
