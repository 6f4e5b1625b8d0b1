import type { RecordFields } from '../jobs/record.ts'

/** A file as its record holds it. Times are Unix ms. */
export interface FileRecord {
  readonly id: string
  readonly tenant: string
  readonly purpose: string
  readonly filename: string
  readonly bytes: number
  readonly createdAtMs: number
  /** Null: it is kept until it is deleted. */
  readonly expiresAtMs: number | null
}

/** The words of a record, field and value in turn, for the script that writes it. */
export const fileFields = (file: FileRecord): string[] => {
  const fields = [
    'tenant',
    file.tenant,
    'purpose',
    file.purpose,
    'filename',
    file.filename,
    'bytes',
    String(file.bytes),
    'created',
    String(file.createdAtMs),
  ]
  if (file.expiresAtMs !== null) fields.push('expires', String(file.expiresAtMs))
  return fields
}

/** Reads a record as Redis returns it; null when there is none, or it is not visible any more or yet. */
export const parseFile = (id: string, fields: RecordFields, nowMs: number): FileRecord | null => {
  // A file whose bytes still arrive has nothing but its tenant.
  if (!fields.created || fields.deleted) return null
  const expiresAtMs = fields.expires ? Number(fields.expires) : null
  if (expiresAtMs !== null && expiresAtMs <= nowMs) return null
  return {
    id,
    tenant: fields.tenant!,
    purpose: fields.purpose!,
    filename: fields.filename!,
    bytes: Number(fields.bytes),
    createdAtMs: Number(fields.created),
    expiresAtMs,
  }
}

/** A stretch of a file's bytes: one blob. */
export interface Segment {
  readonly key: string
  readonly bytes: number
}

/** As `keys.segments(file)` lists it. A blob's key has no space. */
export const formatSegment = ({ key, bytes }: Segment): string => `${key} ${bytes}`

export const parseSegment = (text: string): Segment => {
  const space = text.indexOf(' ')
  return { key: text.slice(0, space), bytes: Number(text.slice(space + 1)) }
}

export const bytesOf = (segments: readonly Segment[]): number =>
  segments.reduce((sum, segment) => sum + segment.bytes, 0)
