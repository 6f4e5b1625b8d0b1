import type { RecordFields } from '../jobs/record.ts'

/** How long an upload waits for its parts. */
export const uploadWindowMs = 3_600_000
/** A part whose request began before the end of its upload may come this much later. No request may take longer. */
export const uploadGraceMs = 2 * 3_600_000

export type UploadStatus = 'pending' | 'completed' | 'cancelled' | 'expired'

/** A file that arrives in parts. Times are Unix ms. */
export interface UploadRecord {
  readonly id: string
  readonly tenant: string
  readonly purpose: string
  readonly filename: string
  /** What the parts must come to. */
  readonly bytes: number
  readonly createdAtMs: number
  readonly expiresAtMs: number
  /** How long the file is kept, from its creation at the upload's end; null: until it is deleted. */
  readonly fileExpiresAfterMs: number | null
  readonly status: UploadStatus
}

export const uploadFields = (upload: Omit<UploadRecord, 'status'>): (string | number)[] => {
  const { tenant, purpose, filename, bytes, createdAtMs, expiresAtMs, fileExpiresAfterMs } = upload
  const fields = ['status', 'pending', 'tenant', tenant, 'purpose', purpose, 'filename', filename]
  const numbers = ['bytes', bytes, 'created', createdAtMs, 'expires', expiresAtMs]
  return [...fields, ...numbers, ...(fileExpiresAfterMs === null ? [] : ['file_ttl', fileExpiresAfterMs])]
}

/** Reads a record as Redis returns it; null when there is none. */
export const parseUpload = (id: string, fields: RecordFields, nowMs: number): UploadRecord | null => {
  if (!fields.status) return null
  const expiresAtMs = Number(fields.expires)
  return {
    id,
    tenant: fields.tenant!,
    purpose: fields.purpose!,
    filename: fields.filename!,
    bytes: Number(fields.bytes),
    createdAtMs: Number(fields.created),
    expiresAtMs,
    fileExpiresAfterMs: fields.file_ttl ? Number(fields.file_ttl) : null,
    status: fields.status === 'pending' && expiresAtMs <= nowMs ? 'expired' : (fields.status as UploadStatus),
  }
}
