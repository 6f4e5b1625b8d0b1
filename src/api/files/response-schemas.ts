import { z } from 'zod'
import { seconds } from '../jobs/response-schemas.ts'
import { purpose } from './file-rules.ts'

export const file = z
  .object({
    id: z.string(),
    object: z.literal('file'),
    bytes: z.int(),
    created_at: seconds,
    expires_at: seconds.optional(),
    filename: z.string(),
    /** Of files that this server made, too. */
    purpose: z.string(),
    /** `uploaded`: the output of a batch that still runs, and grows. */
    status: z.enum(['uploaded', 'processed']),
    status_details: z.null(),
  })
  .meta({ id: 'File' })

export const fileList = z.object({
  object: z.literal('list'),
  data: z.array(file),
  first_id: z.string().nullable(),
  last_id: z.string().nullable(),
  has_more: z.boolean(),
})

export const deletedFile = z.object({ id: z.string(), object: z.literal('file'), deleted: z.literal(true) })

export const upload = z
  .object({
    id: z.string(),
    object: z.literal('upload'),
    bytes: z.int(),
    created_at: seconds,
    expires_at: seconds,
    filename: z.string(),
    purpose,
    status: z.enum(['pending', 'completed', 'cancelled', 'expired']),
    file: file.nullable(),
  })
  .meta({ id: 'Upload' })

export const uploadPart = z.object({
  id: z.string(),
  object: z.literal('upload.part'),
  created_at: seconds,
  upload_id: z.string(),
})
