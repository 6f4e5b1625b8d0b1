import type { FastifyRequest } from 'fastify'
import { BatonError } from '../../domain/errors.ts'
import type { UploadRecord } from '../../files/upload-record.ts'
import type { UploadClosed, UploadStore } from '../../files/upload-store.ts'

/** The tenant's upload. Throws `upload_not_found`, also for the upload of another tenant. */
export const findOwnedUpload = async (
  uploads: UploadStore,
  request: FastifyRequest,
  id: string,
): Promise<UploadRecord> => {
  const upload = await uploads.read(id)
  if (upload === null || upload.tenant !== request.tenant) throw uploadNotFound(id)
  return upload
}

const uploadNotFound = (id: string): BatonError =>
  new BatonError('upload_not_found', `No such Upload object: ${id}`, { param: 'id' })

/** Why an upload takes nothing any more. */
export const uploadClosedError = (id: string, state: UploadClosed): BatonError =>
  state === 'gone'
    ? uploadNotFound(id)
    : new BatonError('upload_closed', `The upload is ${state}; begin another.`, { param: 'id' })
