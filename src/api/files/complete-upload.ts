import { createHash } from 'node:crypto'
import { BatonError } from '../../domain/errors.ts'
import { readFile } from '../../files/read-file.ts'
import type { FileRecord } from '../../files/record.ts'
import { bytesOf, type Segment } from '../../files/record.ts'
import type { UploadRecord } from '../../files/upload-record.ts'
import { fileIdOf, partKey } from '../../files/upload-store.ts'
import { uploadClosedError } from '../http/find-owned.ts'
import type { ApiParts } from '../parts.ts'
import { uploadView } from './file-view.ts'

/**
 * Makes a file of an upload's parts, in the order given, and answers the upload. Asked again with the same
 * parts, it answers the same. `md5` is lower-case hex, or null.
 */
export const completeUpload = async (
  parts: Pick<ApiParts, 'blobs' | 'files' | 'now' | 'uploads'>,
  upload: UploadRecord,
  partIds: readonly string[],
  md5: string | null,
): Promise<object> => {
  if (upload.status === 'pending') {
    const outcome = await makeFile(parts, upload, partIds, md5)
    if (typeof outcome !== 'string') return uploadView({ ...upload, status: 'completed' }, outcome)
    if (outcome !== 'completed') throw uploadClosedError(upload.id, outcome)
  } else if (upload.status !== 'completed') throw uploadClosedError(upload.id, upload.status)
  return repeatedAnswer(parts, upload, partIds)
}

const makeFile = async (
  { blobs, uploads, now }: Pick<ApiParts, 'blobs' | 'now' | 'uploads'>,
  upload: UploadRecord,
  partIds: readonly string[],
  md5: string | null,
) => {
  const sizes = await uploads.parts(upload.id)
  const segments = segmentsOf(upload, partIds, sizes)
  const bytes = bytesOf(segments)
  if (bytes !== upload.bytes) {
    throw new BatonError(
      'upload_incomplete',
      `The parts come to ${bytes} bytes, the upload announced ${upload.bytes}.`,
      { param: 'part_ids' },
    )
  }
  if (md5 !== null) {
    const hash = createHash('md5')
    for await (const chunk of readFile(blobs, segments)) hash.update(chunk)
    if (hash.digest('hex') !== md5) {
      throw new BatonError('checksum_mismatch', '`md5` is not that of the parts put together.', {
        param: 'md5',
      })
    }
  }
  const createdAtMs = now()
  const file: FileRecord = {
    id: fileIdOf(upload.id),
    tenant: upload.tenant,
    purpose: upload.purpose,
    filename: upload.filename,
    bytes,
    createdAtMs,
    expiresAtMs: upload.fileExpiresAfterMs === null ? null : createdAtMs + upload.fileExpiresAfterMs,
  }
  const outcome = await uploads.complete(upload.id, file, segments)
  return outcome === 'done' ? file : outcome
}

const segmentsOf = (
  { id }: UploadRecord,
  partIds: readonly string[],
  sizes: ReadonlyMap<string, number>,
): Segment[] => {
  if (new Set(partIds).size !== partIds.length) throw refusedParts('A part is named twice.')
  return partIds.map(partId => {
    const bytes = sizes.get(partId)
    if (bytes === undefined) throw refusedParts(`The upload has no part ${partId}.`)
    return { key: partKey(id, partId), bytes }
  })
}

const refusedParts = (message: string): BatonError =>
  new BatonError('invalid_request', message, { param: 'part_ids' })

/** To a client that did not get the first answer; with other parts it is another request, and too late. */
const repeatedAnswer = async (
  { files }: Pick<ApiParts, 'files'>,
  upload: UploadRecord,
  partIds: readonly string[],
) => {
  const fileId = fileIdOf(upload.id)
  const [file, segments] = await Promise.all([files.read(fileId), files.segments(fileId)])
  const keys = partIds.map(partId => partKey(upload.id, partId))
  const isSame = keys.join() === segments.map(segment => segment.key).join()
  if (file === null || !isSame) throw uploadClosedError(upload.id, 'completed')
  return uploadView({ ...upload, status: 'completed' }, file)
}
