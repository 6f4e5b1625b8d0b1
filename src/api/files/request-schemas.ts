import { z } from 'zod'
import { maxParts } from '../../files/upload-store.ts'
import { expirySeconds, purpose } from './file-rules.ts'

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
