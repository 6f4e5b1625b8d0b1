import type { FastifyReply, FastifyRequest } from 'fastify'
import { isErrorTextOf } from '../../domain/classify/error-shape.ts'
import {
  failureStatus,
  isGivable,
  type JobError,
  type JobErrorCode,
  jobErrorCodes,
} from '../../domain/job.ts'
import { toldFailure } from '../../domain/job-failure.ts'
import type { JobRecord } from '../../jobs/record.ts'
import { adjustedIn, answeredBy, upstreamRequestIdIn } from '../../jobs/view.ts'
import { dialectOfRequest, sendError } from '../http/error-answer.ts'

/**
 * SDKs submit the same request again by themselves after a 429 or a 5xx, within seconds: with another
 * deadline to miss, or for the same answer. After a 502 for a spoiled answer they would pay again.
 */
const isInVain: ReadonlySet<JobErrorCode> = new Set(['expired', 'targets_throttled', 'targets_unavailable'])

/** A proxy's page, or an error in another API's shape, would reach the client without its message. */
const isReadable = (
  request: FastifyRequest,
  { statusCode, body }: NonNullable<JobRecord['response']>,
): boolean => statusCode < 300 || isErrorTextOf(dialectOfRequest(request), body)

/** Answers with the upstream's own status and body where the job has them, else with the job's failure. */
export const sendAnswer = (
  request: FastifyRequest,
  reply: FastifyReply,
  record: JobRecord,
  nowMs: number,
): FastifyReply => {
  const { response } = record
  reply.header('x-baton-provider', answeredBy(record).provider)
  reply.header('x-baton-attempts', record.attempts.length)
  if (record.cachedFrom) reply.header('x-baton-cache', 'hit')
  const adjusted = adjustedIn(record.attempts)
  if (adjusted.length > 0) reply.header('x-baton-adjusted', adjusted.map(({ field }) => field).join(', '))
  const upstreamId = upstreamRequestIdIn(record.attempts)
  if (upstreamId !== null) reply.header('x-upstream-request-id', upstreamId)
  if (response && isGivable(record.error) && isReadable(request, response)) {
    // The text goes out as it was stored: parsing it would cost time and change numbers.
    return reply.code(response.statusCode).type('application/json; charset=utf-8').send(response.body)
  }
  // A job still open after its deadline has not been swept yet: for the client it has expired.
  const error: JobError = record.error ?? { code: 'expired', message: jobErrorCodes.expired }
  const { code } = error
  if (isInVain.has(code) || !isGivable(record.error)) reply.header('x-should-retry', 'false')
  if (error.retry_at !== undefined) {
    reply.header('retry-after', Math.max(1, Math.ceil(error.retry_at - nowMs / 1_000)))
  }
  const told = toldFailure(error, failureStatus[code])
  return sendError(request, reply, { ...told, param: null, lastError: error.last_error })
}
