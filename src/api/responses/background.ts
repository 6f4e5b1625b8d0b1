import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Submission } from '../../dispatch/submit.ts'
import { wantsStream } from '../../domain/streaming/stream-wishes.ts'
import { removing, withEdits } from '../../json/edits.ts'
import { membersOf } from '../../json/members.ts'
import { jobNotFound } from '../http/find-owned.ts'
import { releaseBody } from '../http/json-body.ts'
import type { Completion } from '../jobs/request-schemas.ts'
import type { ApiParts } from '../parts.ts'
import { type ResponseHeld, streamResponse } from './response-streams.ts'
import { responseView } from './response-view.ts'

/** Whether a request is one of Responses that is to be answered in the background. */
export const wantsBackground = ({
  routeOptions,
  body,
}: Pick<FastifyRequest<{ Body: Completion }>, 'routeOptions' | 'body'>): boolean =>
  routeOptions.url === '/v1/responses' && body.background === true

/**
 * A body without `background`, which asks this server to keep the answer. A provider that were asked for it as well would
 * answer with nothing but an id to come back with.
 */
export const withoutBackground = (
  { background: _, ...body }: Completion,
  text: string,
): { readonly body: Completion; readonly text: string } => {
  const edits = removing(text, 0, [...membersOf(text)], ({ name }) => name === 'background')
  return { body, text: withEdits(text, edits) }
}

/**
 * Submits a request as a job in the background and answers with the response that it is going to be: the first one, where
 * the request repeats an `Idempotency-Key`.
 */
export const acceptResponse = async (
  parts: Pick<ApiParts, 'instance' | 'now' | 'store' | 'streamLogs' | 'submit'>,
  held: ResponseHeld,
  request: FastifyRequest,
  reply: FastifyReply,
  submission: Submission,
): Promise<object> => {
  const { store, submit } = parts
  const { parsedBody } = submission
  const streams = wantsStream(parsedBody as Completion)
  const readers = streams && { stream: [parts.instance] }
  const submitted = await submit({ ...submission, background: true, ...readers })
  releaseBody(request)
  const { id, replayed } = submitted
  request.jobId = id
  reply.header('x-baton-job-id', id)
  if (replayed) reply.header('idempotent-replayed', 'true')
  const record = replayed ? await store.read(id) : submitted.record
  if (record === null) throw jobNotFound()
  if (!streams) return responseView(record, parsedBody)
  return streamResponse(parts, held, request, reply, record, parsedBody, -1)
}
