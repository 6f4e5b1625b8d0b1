import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Submission } from '../../dispatch/submit.ts'
import { isTerminal } from '../../domain/job.ts'
import type { JobRecord } from '../../jobs/record.ts'
import type { JobStore } from '../../jobs/types.ts'
import { jobView } from '../../jobs/view.ts'
import { memberText } from '../../json/members.ts'
import { requireRight } from '../http/auth.ts'
import type { Capacity } from '../http/capacity.ts'
import { checkWebhook } from '../http/check-webhook.ts'
import { findAnyJob, findOwnedJob, headReader } from '../http/find-owned.ts'
import { forwardedHeadersOf } from '../http/forwarded-headers.ts'
import { idempotencyOf } from '../http/idempotency.ts'
import { keepBodyText, releaseBody } from '../http/json-body.ts'
import { acceptsEventStream, parsePrefer } from '../http/preferences.ts'
import type { ApiParts, ApiScope } from '../parts.ts'
import { acceptJob } from './accept-job.ts'
import { answerReader } from './answer-reader.ts'
import type { JobStreams } from './job-streams.ts'
import { eventIdOf } from './job-streams.ts'
import type { JobWaits } from './job-waits.ts'
import type { ReadOperatorView } from './operator-view.ts'
import { type JobRequest, jobReadQuery, jobRequest, refuseCompletionFaults } from './request-schemas.ts'

const longestWaitSeconds = 60

/** `POST /v1/jobs` and `GET /v1/jobs/:id`, as JSON or as events. */
interface HeldJobs {
  readonly waits: JobWaits
  readonly streams: JobStreams
  readonly capacity: Capacity
  readonly operatorView: ReadOperatorView
}

export const addJobRoutes = (
  scope: ApiScope,
  parts: Pick<ApiParts, 'addressGuard' | 'config' | 'estimateJob' | 'resolve' | 'store' | 'submit'>,
  held: HeldJobs,
): void => {
  const { store } = parts
  const { waits, capacity } = held
  const viewOf = async (record: JobRecord): Promise<object> =>
    jobView(record, isTerminal(record.status) ? null : await parts.estimateJob(record))

  scope.register(async inner => {
    keepBodyText(inner)
    const schema = { body: jobRequest }
    inner.withTypeProvider<ZodTypeProvider>().post('/v1/jobs', { schema }, async (request, reply) => {
      const submission = await submissionOf(parts, request, request.body)
      const submitted = await parts.submit(submission)
      releaseBody(request)
      return acceptJob(store, request, reply, submitted)
    })
  })

  const readHead = headReader(store)
  const jobQuery = { params: z.object({ id: z.string() }), querystring: jobReadQuery }
  scope.get('/v1/jobs/:id', { schema: jobQuery }, async (request, reply) => {
    const { id } = request.params
    if (request.query.view === 'operator') {
      requireRight(request, 'operate')
      return held.operatorView(await findAnyJob(request, id, readHead))
    }
    const read = answerReader({ capacity, store }, request, reply)
    const record = await findOwnedJob(request, id, read)
    if (acceptsEventStream(request.headers.accept))
      return streamJob(request, reply, record, { ...held, read })
    const waitSeconds = appliedWait(request, reply)
    if (waitSeconds === 0 || isTerminal(record.status)) return viewOf(record)
    const leave = capacity.enter('poll', request.tenant)
    const outcome = await waits.untilEnd('poll', id, waitSeconds * 1_000, reply).finally(leave)
    if (outcome === 'disconnected') return reply.hijack()
    return viewOf(await findOwnedJob(request, id, read))
  })
}

const streamHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  // For nginx, which would gather events until there are many.
  'x-accel-buffering': 'no',
}

const streamJob = (
  request: FastifyRequest,
  reply: FastifyReply,
  record: JobRecord,
  { streams, capacity, read }: HeldJobs & { readonly read: JobStore['read'] },
): FastifyReply => {
  const seen = request.headers['last-event-id']?.toString() ?? null
  // Browsers reconnect after every end of a stream. Only this status stops them.
  if (isTerminal(record.status) && seen === eventIdOf(record)) return reply.code(204).send()
  if (request.method === 'HEAD') return reply.headers(streamHeaders).send(Readable.from([]))
  const leave = capacity.enter('stream', request.tenant)
  const events = streams.open(record, seen, read)
  events.once('close', leave)
  return reply.headers(streamHeaders).send(events)
}

const appliedWait = (request: FastifyRequest, reply: FastifyReply): number => {
  const { waitSeconds } = parsePrefer(request.headers.prefer)
  if (waitSeconds === null) return 0
  const applied = Math.min(waitSeconds, longestWaitSeconds)
  reply.header('preference-applied', `wait=${applied}`)
  return applied
}

const submissionOf = async (
  parts: Pick<ApiParts, 'addressGuard' | 'config' | 'resolve'>,
  request: FastifyRequest,
  { body, ...envelope }: JobRequest,
): Promise<Submission> => {
  const { endpoint, webhook, metadata, completion_window, priority, on_stream_failure } = envelope
  refuseCompletionFaults(endpoint, body, 'body.')
  const target = webhook ? await checkWebhook(parts, webhook, request.tenant) : null
  // As it is written: from the parsed body large numbers would come out as others.
  const { text } = memberText(request.bodyText, 'body')!
  const headers = forwardedHeadersOf(parts, request, endpoint)
  return {
    tenant: request.tenant,
    endpoint,
    model: body.model as string,
    body: text,
    parsedBody: body,
    headers,
    windowMs: completion_window ?? parts.config.jobs.completion_window,
    webhook: target,
    metadata: metadata ?? null,
    priority,
    ...(on_stream_failure === 'restart' && { restarts: true }),
    retryOf: null,
    idempotency: idempotencyOf(request, headers, () => `${JSON.stringify(envelope)}\n${text}`),
  }
}
