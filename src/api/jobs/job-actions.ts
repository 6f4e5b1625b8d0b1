import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Submission } from '../../dispatch/submit.ts'
import { BatonError } from '../../domain/errors.ts'
import { isTerminal, type JobStatus } from '../../domain/job.ts'
import { noHeaders } from '../../domain/request-headers.ts'
import type { JobRecord } from '../../jobs/record.ts'
import { jobView } from '../../jobs/view.ts'
import { findOwnedJob, headReader, jobNotFound } from '../http/find-owned.ts'
import { idempotencyOf } from '../http/idempotency.ts'
import { ignoreBodies } from '../http/json-body.ts'
import type { ApiParts } from '../parts.ts'
import { acceptJob } from './accept-job.ts'

type JobParams = { Params: { id: string } }

/** `POST /v1/jobs/:id/cancel` and `/retry`. */
export const addJobActionRoutes = (
  scope: FastifyInstance,
  parts: Pick<ApiParts, 'store' | 'submit'>,
): void => {
  const { store } = parts
  const readHead = headReader(store)
  ignoreBodies(scope)

  scope.post<JobParams>('/v1/jobs/:id/cancel', async request => {
    const { id } = request.params
    await findOwnedJob(request, id, readHead)
    const was = (await store.cancel(id)) as JobStatus | 'gone'
    if (was === 'gone') throw jobNotFound()
    if (isTerminal(was) && was !== 'cancelled') {
      throw new BatonError('job_finished', `The job has ${ended(was)} and cannot be cancelled.`)
    }
    return jobView(await findOwnedJob(request, id, readHead))
  })

  scope.post<JobParams>('/v1/jobs/:id/retry', async (request, reply) => {
    const record = await findOwnedJob(request, request.params.id, readHead)
    const submitted = await parts.submit(await repeat(parts, request, record))
    return acceptJob(store, request, reply, submitted)
  })
}

const ended = (status: JobStatus): string => (status === 'expired' ? 'expired' : `${status} already`)

/** The same request again, with a deadline of its own. */
const repeat = async (
  { store }: Pick<ApiParts, 'store'>,
  request: FastifyRequest,
  record: JobRecord,
): Promise<Submission> => {
  if (!isTerminal(record.status) || record.status === 'succeeded') {
    throw notRetryable(`The job is ${record.status}; only failed, expired and cancelled jobs can be retried.`)
  }
  const body = await store.readBody(record.id)
  if (body === null) throw notRetryable("The job's request is past its retention; submit it anew.")
  return {
    tenant: record.tenant,
    endpoint: record.endpoint,
    model: record.model,
    body,
    parsedBody: JSON.parse(body),
    headers: record.headers,
    windowMs: record.expiresAtMs - record.createdAtMs,
    webhook: record.webhook,
    metadata: record.metadata,
    priority: record.priority,
    ...(record.restarts && { restarts: true }),
    retryOf: record.id,
    idempotency: idempotencyOf(request, noHeaders, () => record.id),
  }
}

const notRetryable = (message: string): BatonError => new BatonError('job_not_retryable', message)
