import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { syncGraceMs } from '../../config/schema.ts'
import type { Submitted } from '../../dispatch/submit.ts'
import { endpoints } from '../../domain/endpoint.ts'
import { BatonError } from '../../domain/errors.ts'
import { isTerminal } from '../../domain/job.ts'
import type { StreamedEndpoint } from '../../domain/streaming/answer-fold.ts'
import { asksForUsage, wantsStream } from '../../domain/streaming/stream-wishes.ts'
import type { JobRecord } from '../../jobs/record.ts'
import type { JobStore } from '../../jobs/types.ts'
import type { StreamPosition } from '../../streams/stream-reader.ts'
import type { Capacity } from '../http/capacity.ts'
import { shuttingDown } from '../http/closing.ts'
import { findOwnedJob } from '../http/find-owned.ts'
import { hasIdempotencyKey } from '../http/idempotency.ts'
import { ignoreBodies, keepBodyText, releaseBody } from '../http/json-body.ts'
import { parsePrefer, timeoutMsOf, wantsRestart } from '../http/preferences.ts'
import { acceptJob } from '../jobs/accept-job.ts'
import { answerReader } from '../jobs/answer-reader.ts'
import type { JobWaits } from '../jobs/job-waits.ts'
import { completion } from '../jobs/request-schemas.ts'
import type { ApiParts, ApiScope } from '../parts.ts'
import { acceptResponse, wantsBackground } from '../responses/background.ts'
import type { AnswerStream } from '../streams/stream-answers.ts'
import { sendAnswer } from './send-answer.ts'
import { backgroundSubmissionOf, type SyncRequest, submissionOf } from './submission.ts'

/** A client that bounds its wait is answered this long after, whether the job has ended or not. */
const timeoutGraceMs = 1_000
/** Well under the 1.5 s after which a sweeper rings what has not been rung. */
const freshMs = 1_000

/** Its answer may have come in the last moment. */
const isWithoutAnswer = ({ status }: JobRecord): boolean => !isTerminal(status) || status === 'cancelled'

interface SyncHeld {
  readonly waits: JobWaits
  readonly capacity: Capacity
  readonly answerStream: AnswerStream
}

/**
 * The paths of existing clients: the request goes through the queue while the connection waits for the
 * answer.
 */
export const addSyncRoutes = (
  scope: FastifyInstance,
  parts: Pick<ApiParts, 'config' | 'instance' | 'log' | 'now' | 'store' | 'streamLogs' | 'submit'>,
  held: SyncHeld,
): void => {
  const { waits, capacity, answerStream } = held
  const { store, config, log } = parts
  keepBodyText(scope)

  /** Rung only after this turn, unless the answer of Redis was so late that a sweeper may have rung it. */
  const isFresh = (submitted: Submitted): boolean =>
    !submitted.replayed && parts.now() - submitted.record.createdAtMs < freshMs

  /** Without a key the client cannot find the job again: its answer would be paid for and never read. */
  const abandon = async (request: FastifyRequest, jobId: string): Promise<void> => {
    if (hasIdempotencyKey(request)) return
    await store
      .cancel(jobId)
      .catch(() => log.warn({ event: 'job.cancel_failed', jobId }, 'abandoned job not cancelled'))
  }

  const holdPlace = (request: FastifyRequest, reply: FastifyReply): void => {
    const leave = capacity.enter('answer', request.tenant)
    reply.raw.once('close', leave)
    if (reply.raw.destroyed) leave()
  }

  /** A function of its own, so that nothing of the body is held on to while its answer is waited for. */
  const submit = async (request: SyncRequest, respondAsync: boolean): Promise<Submitted> => {
    const submission = submissionOf(parts, request)
    const readers = respondAsync ? [] : [parts.instance]
    const submitted = await parts.submit({
      ...submission,
      // The client of an asynchronous request does not wait for it.
      ...(!respondAsync && { class: 'interactive' }),
      ...(wantsStream(request.body) && { stream: readers }),
    })
    releaseBody(request)
    return submitted
  }

  const serve = async (request: SyncRequest, reply: FastifyReply): Promise<unknown> => {
    if (wantsBackground(request)) {
      return acceptResponse(parts, held, request, reply, backgroundSubmissionOf(parts, request))
    }
    const streams = wantsStream(request.body) ? { includeUsage: asksForUsage(request.body) } : null
    const { respondAsync } = parsePrefer(request.headers.prefer)
    if (!respondAsync) holdPlace(request, reply)
    const submitted = await submit(request, respondAsync)
    const { id, replayed } = submitted
    request.jobId = id
    reply.header('x-baton-job-id', id)
    if (respondAsync) {
      reply.header('preference-applied', 'respond-async')
      return acceptJob(store, request, reply, submitted)
    }
    if (replayed) reply.header('idempotent-replayed', 'true')
    const bound = timeoutMsOf(request, config.jobs.sync_timeout)
    const timeoutMs = bound === null ? config.jobs.sync_timeout + syncGraceMs : bound + timeoutGraceMs
    let known: JobRecord | null = null
    const answered = replayed ? undefined : submitted.answered
    answered?.then(record => {
      known = record
    })
    const isLate = streams !== null && replayed && (await parts.streamLogs.join(id))
    const { from, restarts } = replayed
      ? await placeIn(store, id, isLate)
      : { from: beginning, restarts: wantsRestart(request) }
    const ended = waits.untilEnd('sync', id, timeoutMs, reply, isFresh(submitted), answered)
    const read = answerReader({ capacity, store }, request, reply, true, () => known)
    if (streams !== null) {
      return answerStream(request, reply, {
        ...{
          id,
          endpoint: request.routeOptions.url as StreamedEndpoint,
          ended,
          from,
          isLate,
          restarts,
          ...streams,
        },
        read: () => findOwnedJob(request, id, read),
        answerWhole: record => sendAnswer(request, reply, record, parts.now()),
        abandon: () => abandon(request, id),
      })
    }
    const outcome = await ended
    if (outcome === 'disconnected') {
      await abandon(request, id)
      return reply.hijack()
    }
    // The client is asked to come again, and would have the request answered twice.
    if (outcome === 'closing') await abandon(request, id)
    const record = await findOwnedJob(request, id, read)
    if (outcome === 'closing' && isWithoutAnswer(record)) throw shuttingDown()
    return sendAnswer(request, reply, record, parts.now())
  }

  for (const endpoint of endpoints) {
    scope.withTypeProvider<ZodTypeProvider>().post(endpoint, { schema: { body: completion } }, serve)
  }
}

const beginning: StreamPosition = { run: null, offset: 0 }

/** A reader that comes late begins with the run whose stream there is, of a job as the first request asked for it. */
const placeIn = async (
  store: Pick<JobStore, 'readHeads'>,
  id: string,
  isLate: boolean,
): Promise<{ readonly from: StreamPosition; readonly restarts: boolean }> => {
  const [head] = isLate ? await store.readHeads([id]) : []
  return { from: { run: head?.log?.run ?? null, offset: 0 }, restarts: head?.restarts ?? false }
}

/** Paths of the vendors that old clients still ask for. */
export const addRetiredRoutes = (scope: ApiScope): void => {
  scope.register(async inner => {
    ignoreBodies(inner)
    inner.post('/v1/complete', {
      // The body is not read.
      onRequest: (_request, _reply, done) => done(completeRetired()),
      handler: () => undefined,
    })
  })
}

const completeRetired = (): BatonError =>
  new BatonError(
    'endpoint_retired',
    'Anthropic has retired the Text Completions API. Send the prompt to POST /v1/messages: {"model": …, "max_tokens": …, "messages": [{"role": "user", "content": …}]}.',
  )
