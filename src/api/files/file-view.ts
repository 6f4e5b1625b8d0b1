import type { FileRecord } from '../../files/record.ts'
import type { UploadRecord } from '../../files/upload-record.ts'
import { wholeSeconds } from '../../jobs/view.ts'
import type { GrowingFile } from './growing-files.ts'

/** OpenAI's file object. Times are whole Unix seconds. */
export const fileView = (file: FileRecord | GrowingFile): object => ({
  id: file.id,
  object: 'file',
  bytes: file.bytes,
  created_at: wholeSeconds(file.createdAtMs),
  ...(file.expiresAtMs !== null && { expires_at: wholeSeconds(file.expiresAtMs) }),
  filename: file.filename,
  purpose: file.purpose,
  // Deprecated, but clients wait for it.
  status: 'isGrowing' in file ? 'uploaded' : 'processed',
  status_details: null,
})

/** OpenAI's upload object; `file` is what became of it, once completed. */
export const uploadView = (upload: UploadRecord, file: FileRecord | null = null): object => ({
  id: upload.id,
  object: 'upload',
  bytes: upload.bytes,
  created_at: wholeSeconds(upload.createdAtMs),
  expires_at: wholeSeconds(upload.expiresAtMs),
  filename: upload.filename,
  purpose: upload.purpose,
  status: upload.status,
  file: file && fileView(file),
})
