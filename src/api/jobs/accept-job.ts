import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Submitted } from '../../dispatch/submit.ts'
import type { JobStore } from '../../jobs/types.ts'
import { jobView } from '../../jobs/view.ts'
import { isRedisTrouble } from '../../redis/trouble.ts'
import { jobNotFound } from '../http/find-owned.ts'

/**
 * Answers a submission with 202, `Location` and the job: the first job, where the request repeats an
 * `Idempotency-Key`.
 */
export const acceptJob = async (
  store: JobStore,
  request: FastifyRequest,
  reply: FastifyReply,
  submitted: Submitted,
): Promise<object> => {
  const { id, replayed } = submitted
  const view = await viewOf(store, submitted)
  request.jobId = id
  reply.code(202).header('location', `/v1/jobs/${id}`)
  if (replayed) reply.header('idempotent-replayed', 'true')
  return view
}

const viewOf = async (store: JobStore, submitted: Submitted): Promise<object> => {
  if (!submitted.replayed) return jobView(submitted.record)
  const { id } = submitted
  try {
    const record = await store.read(id)
    if (record === null) throw jobNotFound()
    return jobView(record)
  } catch (error) {
    // The job stands: an error now would make the client submit it again.
    if (isRedisTrouble(error)) return { id, object: 'job', status: 'queued' }
    throw error
  }
}
