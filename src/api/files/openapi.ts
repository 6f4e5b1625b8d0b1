import { z } from 'zod'
import { seconds } from '../jobs/openapi.ts'
import { contentErrors, formErrors, ignoredBodyErrors, jsonBodyErrors } from '../openapi/error-sets.ts'
import type { DescribedResponse, Operations } from '../openapi/operation.ts'
import { dialectHeaders, idOf, rangeHeaders } from '../openapi/request-headers.ts'
import { purpose } from './file-rules.ts'

const file = z
  .object({
    id: z.string(),
    object: z.literal('file'),
    bytes: z.int(),
    created_at: seconds,
    expires_at: seconds.optional(),
    filename: z.string(),
    /** Files that this server made have purposes of their own. */
    purpose: z.string(),
    /** `uploaded`: the output of a batch that still runs, and grows. */
    status: z.enum(['uploaded', 'processed']),
    status_details: z.null(),
  })
  .meta({ id: 'File' })

const fileList = z.object({
  object: z.literal('list'),
  data: z.array(file),
  first_id: z.string().nullable(),
  last_id: z.string().nullable(),
  has_more: z.boolean(),
})

const deletedFile = z.object({ id: z.string(), object: z.literal('file'), deleted: z.literal(true) })

const upload = z
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

const uploadPart = z.object({
  id: z.string(),
  object: z.literal('upload.part'),
  created_at: seconds,
  upload_id: z.string(),
})

const form = 'multipart/form-data'

/** Part of a file, or all of it. */
export const contentResponses = (type: string): Readonly<Record<number, DescribedResponse>> => ({
  200: { description: 'The bytes.', schema: z.file(), type },
  206: { description: 'The range that was asked for.', schema: z.file(), type },
  204: {
    description: 'The batch still runs, and nothing has come since the byte that the range begins at.',
    schema: z.null(),
  },
})

const fileForm = z.object({
  file: z.file(),
  purpose,
  'expires_after[anchor]': z.literal('created_at').optional(),
  'expires_after[seconds]': z.string().regex(/^\d+$/).optional().meta({ description: '3600 to 2592000.' }),
})

export const fileOperations: Operations = {
  'POST /v1/files': {
    id: 'createFile',
    summary: 'Keep a file',
    tag: 'Files',
    headers: dialectHeaders,
    body: fileForm,
    bodyType: form,
    responses: { 200: { description: 'The file.', schema: file } },
    errors: [...formErrors, 'storage_quota_exceeded'],
  },
  'GET /v1/files': {
    id: 'listFiles',
    summary: 'List files, newest first',
    tag: 'Files',
    headers: dialectHeaders,
    responses: { 200: { description: 'A page of files.', schema: fileList } },
    errors: ['invalid_request', 'invalid_cursor'],
  },
  'GET /v1/files/:id': {
    id: 'readFile',
    summary: 'Read what is known of a file',
    tag: 'Files',
    params: idOf('a file'),
    headers: dialectHeaders,
    responses: { 200: { description: 'The file.', schema: file } },
    errors: ['file_not_found'],
  },
  'GET /v1/files/:id/content': {
    id: 'readFileContent',
    summary: 'Read the bytes of a file',
    tag: 'Files',
    params: idOf('a file'),
    headers: rangeHeaders.extend(dialectHeaders.shape),
    responses: contentResponses('application/octet-stream'),
    errors: ['file_not_found', ...contentErrors],
  },
  'DELETE /v1/files/:id': {
    id: 'deleteFile',
    summary: 'Delete a file',
    tag: 'Files',
    params: idOf('a file'),
    headers: dialectHeaders,
    responses: { 200: { description: 'That it is gone.', schema: deletedFile } },
    errors: ['file_not_found', ...ignoredBodyErrors],
  },
}

export const uploadOperations: Operations = {
  'POST /v1/uploads': {
    id: 'createUpload',
    summary: 'Begin a file that comes in parts',
    tag: 'Uploads',
    responses: { 200: { description: 'The upload.', schema: upload } },
    errors: [...jsonBodyErrors, 'file_too_large', 'storage_quota_exceeded', 'not_replicated', 'storage_full'],
  },
  'POST /v1/uploads/:id/parts': {
    id: 'addUploadPart',
    summary: 'Add a part',
    tag: 'Uploads',
    params: idOf('an upload'),
    body: z.object({ data: z.file() }),
    bodyType: form,
    responses: { 200: { description: 'The part.', schema: uploadPart } },
    errors: [...formErrors, 'upload_not_found', 'upload_closed', 'upload_size_exceeded'],
  },
  'POST /v1/uploads/:id/complete': {
    id: 'completeUpload',
    summary: 'Make the file of the parts, in the order given',
    tag: 'Uploads',
    params: idOf('an upload'),
    responses: { 200: { description: 'The upload, with its file.', schema: upload } },
    errors: [
      ...jsonBodyErrors,
      'upload_not_found',
      'upload_closed',
      'upload_incomplete',
      'checksum_mismatch',
      'storage_unavailable',
      'not_replicated',
      'storage_full',
    ],
  },
  'POST /v1/uploads/:id/cancel': {
    id: 'cancelUpload',
    summary: 'Give an upload up',
    tag: 'Uploads',
    params: idOf('an upload'),
    responses: { 200: { description: 'The upload, cancelled.', schema: upload } },
    errors: ['upload_not_found', 'upload_closed', ...ignoredBodyErrors],
  },
}
