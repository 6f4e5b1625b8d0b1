import { randomInt } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { BatonError } from '../../domain/errors.ts'
import { type UploadRecord, uploadWindowMs } from '../../files/upload-record.ts'
import { maxParts, type PartAdded, partKey } from '../../files/upload-store.ts'
import { wholeSeconds } from '../../jobs/view.ts'
import { newPartId, newUploadId, shardCount, shardOf, timeOf } from '../../redis/keys.ts'
import { findOwnedUpload, uploadClosedError } from '../http/find-owned.ts'
import { fingerprintOf } from '../http/idempotency.ts'
import { ignoreBodies } from '../http/json-body.ts'
import { acceptForms } from '../http/multipart.ts'
import { reserveQuota } from '../http/quota.ts'
import type { ApiParts, ApiScope } from '../parts.ts'
import { completeUpload } from './complete-upload.ts'
import {
  cleanFilename,
  maxUploadBytesOf,
  rulesFor,
  tooLarge,
  type UploadRequest,
  uploadCompletion,
  uploadParams,
  uploadRequest,
} from './file-rules.ts'
import { uploadView } from './file-view.ts'
import { asStorageTrouble, type ReceivedBlob, receiveBlob } from './receive-blob.ts'

/** As OpenAI has it. */
const maxPartBytes = 64 * 1024 * 1024

type UploadParams = { Params: { id: string } }

/** `POST /v1/uploads`, and `…/parts`, `…/complete` and `…/cancel` of one. */
export const addUploadRoutes = (
  scope: ApiScope,
  parts: Pick<ApiParts, 'blobs' | 'config' | 'files' | 'log' | 'now' | 'quotas' | 'uploads'>,
): void => {
  const { uploads, quotas } = parts

  scope.post('/v1/uploads', { schema: { body: uploadRequest } }, async request => {
    const upload = newUpload(parts, request, request.body)
    await uploads.create(upload)
    // Counted when it will be removed, so that nothing counts for ever.
    await reserveQuota(quotas, request.tenant, upload.id, 1, upload.bytes).catch(async (error: unknown) => {
      await uploads.cancel(upload.id)
      throw error
    })
    return uploadView(upload)
  })

  scope.post(
    '/v1/uploads/:id/complete',
    { schema: { params: uploadParams, body: uploadCompletion } },
    async request => {
      const upload = await findOwnedUpload(uploads, request, request.params.id)
      const { part_ids, md5 } = request.body
      return completeUpload(parts, upload, part_ids, md5?.toLowerCase() ?? null).catch(asStorageTrouble)
    },
  )

  scope.register(async inner => {
    acceptForms(inner)
    inner.post<UploadParams>('/v1/uploads/:id/parts', async request => {
      const upload = await findOwnedUpload(uploads, request, request.params.id)
      if (upload.status !== 'pending') throw uploadClosedError(upload.id, upload.status)
      const partId = await addPart(parts, request, upload)
      return {
        id: partId,
        object: 'upload.part',
        created_at: wholeSeconds(timeOf(partId)),
        upload_id: upload.id,
      }
    })
  })

  scope.register(async inner => {
    ignoreBodies(inner)
    inner.post<UploadParams>('/v1/uploads/:id/cancel', async request => {
      const upload = await findOwnedUpload(uploads, request, request.params.id)
      const was = await uploads.cancel(upload.id)
      // Cancelled before is as good: a client that did not get the answer asks again.
      if (was !== 'done' && was !== 'cancelled') throw uploadClosedError(upload.id, was)
      await quotas.free(request.tenant, upload.id)
      return uploadView({ ...upload, status: 'cancelled' })
    })
  })
}

const newUpload = (
  { config, now }: Pick<ApiParts, 'config' | 'now'>,
  request: FastifyRequest,
  body: UploadRequest,
): UploadRecord => {
  const { purpose, bytes, filename, expires_after } = body
  const maxBytes = maxUploadBytesOf(config, purpose)
  if (bytes > maxBytes) throw tooLarge(maxBytes, 'bytes')
  const createdAtMs = now()
  return {
    id: newUploadId(randomInt(shardCount), createdAtMs),
    tenant: request.tenant,
    purpose,
    filename: cleanFilename(filename),
    bytes,
    createdAtMs,
    expiresAtMs: createdAtMs + uploadWindowMs,
    fileExpiresAfterMs: rulesFor(purpose, expires_after?.seconds ?? null).expiresAfterMs,
    status: 'pending',
  }
}

const addPart = async (
  parts: Pick<ApiParts, 'blobs' | 'log' | 'now' | 'uploads'>,
  request: FastifyRequest,
  upload: UploadRecord,
): Promise<string> => {
  const { blobs, uploads, now, log } = parts
  const { id } = upload
  const partId = newPartId(shardOf(id), now())
  const key = partKey(id, partId)
  const drop = () =>
    blobs
      .remove(key)
      .catch(() =>
        log.debug({ event: 'upload_part.purge_deferred', uploadId: id }, 'upload part left to the purger'),
      )
  const { bytes, hash } = await receivePart(parts, request, upload, key).catch(async (error: unknown) => {
    await drop()
    return asStorageTrouble(error)
  })
  // Where this rejects, the part may have been taken up all the same, and be asked for again: its bytes stay.
  const added = await uploads.addPart(id, { id: partId, bytes, ...fingerprintOf(request, [id, hash]) })
  if (added === 'added') return partId
  await drop()
  if (typeof added === 'object') return added.same
  throw refusalOf(added, upload)
}

const refusalOf = (
  why: Exclude<PartAdded, 'added' | { readonly same: string }>,
  upload: UploadRecord,
): BatonError => {
  if (why === 'too_much') return beyondAnnounced(upload)
  if (why !== 'too_many') return uploadClosedError(upload.id, why)
  return new BatonError('invalid_request', `The upload has ${maxParts} parts already.`, { param: 'data' })
}

const beyondAnnounced = ({ bytes }: UploadRecord): BatonError =>
  new BatonError(
    'upload_size_exceeded',
    `With this part the upload would have more than the ${bytes} bytes that it announced.`,
    { param: 'data' },
  )

const receivePart = async (
  parts: Pick<ApiParts, 'blobs'>,
  request: FastifyRequest,
  upload: UploadRecord,
  key: string,
): Promise<ReceivedBlob> => {
  const { fields, file } = await receiveBlob(parts, request, {
    field: 'data',
    key,
    maxBytes: () => Math.min(maxPartBytes, upload.bytes),
    beyond: limit => (limit < maxPartBytes ? beyondAnnounced(upload) : tooLarge(limit, 'data')),
  })
  for (const name of fields.keys()) {
    throw new BatonError('invalid_request', `'${name}' is not a field of this request; leave it out.`, {
      param: name,
    })
  }
  if (file === null) throw new BatonError('invalid_request', "'data' is missing.", { param: 'data' })
  return file
}
