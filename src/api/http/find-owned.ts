import type { FastifyRequest } from 'fastify'
import type { BatchRecord } from '../../batches/record.ts'
import type { BatchStore } from '../../batches/store.ts'
import type { Dialect } from '../../domain/endpoint.ts'
import { BatonError } from '../../domain/errors.ts'
import type { FileRecord } from '../../files/record.ts'
import type { FileStore } from '../../files/store.ts'
import type { UploadRecord } from '../../files/upload-record.ts'
import type { UploadClosed, UploadStore } from '../../files/upload-store.ts'
import type { JobRecord } from '../../jobs/record.ts'
import type { JobStore } from '../../jobs/types.ts'
import { isBatchId, isFileId, isJobId } from '../../redis/keys.ts'

/**
 * The tenant's job. Throws `job_not_found`, also for the job of another tenant: that it exists is not
 * disclosed. `read` decides how much of the record is read.
 */
export const findOwnedJob = async (
  request: FastifyRequest,
  id: string,
  read: (id: string) => Promise<JobRecord | null>,
): Promise<JobRecord> => {
  const record = isJobId(id) ? await read(id) : null
  if (record === null || record.tenant !== request.tenant) throw jobNotFound()
  request.jobId = id
  return record
}

/** The job of any tenant, for operators. Throws `job_not_found`. */
export const findAnyJob = async (
  request: FastifyRequest,
  id: string,
  read: (id: string) => Promise<JobRecord | null>,
): Promise<JobRecord> => {
  const record = isJobId(id) ? await read(id) : null
  if (record === null) throw jobNotFound()
  request.jobId = id
  return record
}

/** Reads a record without its response. */
export const headReader =
  (store: JobStore) =>
  async (id: string): Promise<JobRecord | null> =>
    (await store.readHeads([id]))[0] ?? null

export const jobNotFound = (): BatonError =>
  new BatonError('job_not_found', 'There is no such job, or it is past its retention.', { param: 'id' })

/**
 * The tenant's batch of that kind of client. Throws `batch_not_found`, also for the batch of another tenant.
 */
export const findOwnedBatch = async (
  batches: BatchStore,
  request: FastifyRequest,
  id: string,
  dialect: Dialect,
): Promise<BatchRecord> => {
  const batch = isBatchId(id, dialect) ? await batches.read(id) : null
  if (batch === null || batch.tenant !== request.tenant) throw batchNotFound(id, dialect)
  return batch
}

/** In either API's words. */
export const batchNotFound = (id: string, dialect: Dialect): BatonError => {
  const message = dialect === 'openai' ? `No batch found with id '${id}'.` : `Message batch ${id} not found.`
  return new BatonError('batch_not_found', message, { param: 'id' })
}

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

/** The tenant's file. Throws `file_not_found`, also for the file of another tenant. */
export const findOwnedFile = async (
  files: FileStore,
  request: FastifyRequest,
  id: string,
): Promise<FileRecord> => {
  const file = isFileId(id) ? await files.read(id) : null
  if (file === null || file.tenant !== request.tenant) throw fileNotFound(id)
  return file
}

/** In OpenAI's words. */
export const fileNotFound = (id: string): BatonError =>
  new BatonError('file_not_found', `No such File object: ${id}`, { param: 'id' })
