import { z } from 'zod'
import type { Config } from '../../config/schema.ts'
import { BatonError } from '../../domain/errors.ts'
import { maxParts } from '../../files/upload-store.ts'

/** The purposes that a client may give a file. */
const purposes = ['assistants', 'batch', 'fine-tune', 'vision', 'user_data', 'evals'] as const

export const purpose = z.enum(purposes, `expected one of ${purposes.join(', ')}`)

/** OpenAI's range, in seconds: one hour to 30 days. */
export const expirySeconds = z.int('expected 3600 to 2592000').min(3_600).max(2_592_000)
/** Input files of batches expire by default, as OpenAI's do. */
const batchExpiryMs = 30 * 86_400_000

export interface FileRules {
  readonly purpose: string
  /** From the file's creation; null: it is kept until it is deleted. */
  readonly expiresAfterMs: number | null
}

export const rulesFor = (purpose: string, expiresAfterSeconds: number | null): FileRules => ({
  purpose,
  expiresAfterMs:
    expiresAfterSeconds !== null ? expiresAfterSeconds * 1_000 : purpose === 'batch' ? batchExpiryMs : null,
})

const anchorField = 'expires_after[anchor]'
const secondsField = 'expires_after[seconds]'
const known = new Set(['purpose', anchorField, secondsField])

/** Reads the fields beside the file. Throws `invalid_request`. */
export const rulesOf = (fields: ReadonlyMap<string, string>): FileRules => {
  for (const name of fields.keys()) {
    if (!known.has(name)) throw refused(name, `'${name}' is not a field of this request; leave it out.`)
  }
  return rulesFor(purposeOf(fields), expiryOf(fields))
}

/** Throws `invalid_request` when it is missing or not one there is. */
export const purposeOf = (fields: ReadonlyMap<string, string>): string => {
  const value = fields.get('purpose')
  if (value === undefined) throw refused('purpose', "'purpose' is missing.")
  const known = purpose.safeParse(value)
  if (!known.success) throw refused('purpose', `'purpose': ${known.error.issues[0]!.message}.`)
  return known.data
}

const expiryOf = (fields: ReadonlyMap<string, string>): number | null => {
  const anchor = fields.get(anchorField)
  const seconds = fields.get(secondsField)
  if (anchor === undefined && seconds === undefined) return null
  if (anchor !== 'created_at') throw refused(anchorField, `'${anchorField}': expected created_at.`)
  const parsed = expirySeconds.safeParse(/^\d+$/.test(seconds ?? '') ? Number(seconds) : undefined)
  if (!parsed.success) throw refused(secondsField, `'${secondsField}': expected 3600 to 2592000.`)
  return parsed.data
}

/** The largest file of a purpose; of any where it is not known yet. */
export const maxBytesOf = ({ batches, files }: Config, purpose: string | null): number => {
  if (purpose === null) return Math.max(batches.max_file_bytes, files.max_bytes)
  return purpose === 'batch' ? batches.max_file_bytes : files.max_bytes
}

/** A whole upload in parts may be larger, unless batches are to read it. */
export const maxUploadBytesOf = ({ batches, files }: Config, purpose: string): number =>
  purpose === 'batch' ? batches.max_file_bytes : files.max_upload_bytes

export const tooLarge = (maxBytes: number, param: string): BatonError =>
  new BatonError('file_too_large', `File is too large. It may have ${maxBytes} bytes.`, { param })

const longestFilename = 255

/** As it can be shown and sent in a header: without folders and control characters. */
export const cleanFilename = (name: string | null): string => {
  const base = name?.split(/[/\\]/).at(-1) ?? ''
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is to go
  const shown = base.replace(/[\u0000-\u001f\u007f]/g, '').slice(-longestFilename)
  return ['', '.', '..'].includes(shown) ? 'unknown_file' : shown
}

const refused = (param: string, message: string): BatonError =>
  new BatonError('invalid_request', message, { param })

export const fileListQuery = z.strictObject({
  after: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(10_000).default(10_000),
  order: z.enum(['asc', 'desc']).default('desc'),
  purpose: z.string().optional(),
})

export const expiresAfter = z.strictObject({ anchor: z.literal('created_at'), seconds: expirySeconds })

export const uploadRequest = z.strictObject({
  bytes: z.int().positive(),
  filename: z.string().min(1),
  // Clients have to send it; files have no type here.
  mime_type: z.string().optional(),
  purpose,
  expires_after: expiresAfter.optional(),
})

export type UploadRequest = z.output<typeof uploadRequest>

export const uploadParams = z.object({ id: z.string() })

export const uploadCompletion = z.strictObject({
  part_ids: z.array(z.string()).min(1).max(maxParts),
  md5: z
    .string()
    .regex(/^[0-9a-fA-F]{32}$/, 'expected 32 hexadecimal digits')
    .optional(),
})
