import type { FastifyRequest } from 'fastify'
import { BatonError } from '../../domain/errors.ts'
import type { JobRecord } from '../../jobs/record.ts'
import type { JobStore } from '../../jobs/store.ts'
import { isJobId } from '../../redis/keys.ts'

/**
 * The tenant's job. Throws `job_not_found`, also for the job of another tenant: that it exists is not told either.
 * `read` says how much of the record is needed.
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

/** Reads a record without its response. */
export const headReader =
  (store: JobStore) =>
  async (id: string): Promise<JobRecord | null> =>
    (await store.readHeads([id]))[0] ?? null

export const jobNotFound = (): BatonError =>
  new BatonError('job_not_found', 'There is no such job, or it is past its retention.', { param: 'id' })
