import type { FastifyReply, FastifyRequest } from 'fastify'
import { failureStatus, isGivable, jobErrorCodes } from '../domain/job.ts'
import { toldFailure } from '../domain/job-failure.ts'
import type { JobRecord } from '../store/job-record.ts'
import { adjustedIn, answeredBy, upstreamRequestIdIn } from '../store/job-view.ts'
import { sendError } from './error-body.ts'

/** Answers with the upstream's own status and body where the job has them, else with the job's failure. */
export const answerDoor = (request: FastifyRequest, reply: FastifyReply, record: JobRecord): FastifyReply => {
  const { response } = record
  reply.header('x-baton-provider', answeredBy(record).provider)
  reply.header('x-baton-attempts', record.attempts.length)
  if (record.cachedFrom) reply.header('x-baton-cache', 'hit')
  const adjusted = adjustedIn(record.attempts)
  if (adjusted.length > 0) reply.header('x-baton-adjusted', adjusted.map(({ field }) => field).join(', '))
  const upstreamId = upstreamRequestIdIn(record.attempts)
  if (upstreamId !== null) reply.header('x-upstream-request-id', upstreamId)
  if (response && isGivable(record.error)) {
    // The text goes out as it was stored: parsing it would cost time and change numbers.
    return reply.code(response.statusCode).type('application/json; charset=utf-8').send(response.body)
  }
  // Still open after its deadline means that nobody could end it yet: expired, as far as the client is concerned.
  const error = record.error ?? { code: 'expired', message: jobErrorCodes.expired }
  const { code } = error
  // A 504 would make SDKs submit the same request again, with another deadline to miss; a 502, pay again for such an answer.
  if (code === 'expired' || !isGivable(record.error)) reply.header('x-should-retry', 'false')
  const told = toldFailure(error, failureStatus[code])
  return sendError(request, reply, { ...told, param: null, lastError: error.last_error })
}
