import type { FastifyRequest } from 'fastify'
import type { Submission } from '../../dispatch/submit.ts'
import type { Endpoint } from '../../domain/endpoint.ts'
import { forwardedHeadersOf } from '../http/forwarded-headers.ts'
import { idempotencyOf } from '../http/idempotency.ts'
import { refuseRestart, timeoutMsOf, wantsRestart } from '../http/preferences.ts'
import { type Completion, refuseCompletionFaults } from '../jobs/request-schemas.ts'
import type { ApiParts } from '../parts.ts'
import { withoutBackground } from '../responses/background.ts'

export type SyncRequest = FastifyRequest<{ Body: Completion }>

/** The job of a request whose connection waits. Throws what is wrong with it. */
export const submissionOf = (parts: Pick<ApiParts, 'config'>, request: SyncRequest): Submission => ({
  ...submissionFor(parts, request, request.body, request.bodyText, parts.config.jobs.sync_timeout),
  ...(wantsRestart(request) && { restarts: true }),
})

/** The job of a request that is answered in the background: it has as long as any job. */
export const backgroundSubmissionOf = (parts: Pick<ApiParts, 'config'>, request: SyncRequest): Submission => {
  refuseRestart(request)
  const { body, text } = withoutBackground(request.body, request.bodyText)
  return submissionFor(parts, request, body, text, parts.config.jobs.completion_window)
}

const submissionFor = (
  parts: Pick<ApiParts, 'config'>,
  request: SyncRequest,
  body: Completion,
  text: string,
  windowMs: number,
): Submission => {
  const { bodyText } = request
  const endpoint = request.routeOptions.url as Endpoint
  refuseCompletionFaults(endpoint, body)
  const headers = forwardedHeadersOf(parts, request, endpoint)
  return {
    tenant: request.tenant,
    endpoint,
    model: body.model as string,
    body: text,
    parsedBody: body,
    headers,
    windowMs: timeoutMsOf(request, parts.config.jobs.sync_timeout) ?? windowMs,
    webhook: null,
    metadata: null,
    priority: 'default',
    retryOf: null,
    idempotency: idempotencyOf(request, headers, () => bodyText),
  }
}
