import { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import { BatonError } from '../../domain/errors.ts'
import { isTerminal } from '../../domain/job.ts'
import type { StreamedEndpoint } from '../../domain/streaming/answer-fold.ts'
import type { JobRecord } from '../../jobs/record.ts'
import type { StreamPosition } from '../../streams/stream-reader.ts'
import type { Capacity } from '../http/capacity.ts'
import { findOwnedJob, headReader } from '../http/find-owned.ts'
import { answerReader } from '../jobs/answer-reader.ts'
import type { JobWaits } from '../jobs/job-waits.ts'
import type { ApiParts, ApiScope } from '../parts.ts'
import { sendAnswer } from '../sync/send-answer.ts'
import { createEventIds, eventIdAt, positionOf } from './event-ids.ts'
import { streamHeaders } from './event-outlet.ts'
import type { AnswerStream } from './stream-answers.ts'

interface StreamHeld {
  readonly waits: JobWaits
  readonly capacity: Capacity
  readonly answerStream: AnswerStream
}

/** A job that is past its deadline is ended by a sweeper soon after. */
const sweepGraceMs = 15_000

/** `GET /v1/jobs/:id/stream`: the stream of a job, for any reader of its tenant, from where it was cut off. */
export const addStreamRoutes = (
  scope: ApiScope,
  parts: Pick<ApiParts, 'now' | 'store' | 'streamLogs'>,
  { waits, capacity, answerStream }: StreamHeld,
): void => {
  const { store, streamLogs, now } = parts

  scope.get<{ Params: { id: string } }>('/v1/jobs/:id/stream', async (request, reply) => {
    const { id } = request.params
    const record = await findOwnedJob(request, id, headReader(store))
    if (!record.isStreamed) throw notStreamed()
    if (request.method === 'HEAD') return reply.headers(streamHeaders).send(Readable.from([]))
    const from = askedPosition(request, record)
    // Browsers reconnect after every end of a stream. Only this status stops them.
    if (isAtEnd(from, record)) return reply.code(204).send()
    const leave = capacity.enter('stream', request.tenant)
    reply.raw.once('close', leave)
    const isOver = isTerminal(record.status)
    if (!isOver) await streamLogs.join(id)
    const leftMs = record.expiresAtMs - now() + sweepGraceMs
    return answerStream(request, reply, {
      ...{ id, endpoint: record.endpoint as StreamedEndpoint, from, isLate: true, comesBack: true },
      includeUsage: false,
      restarts: record.restarts ?? false,
      ended: isOver ? Promise.resolve('over') : waits.untilEnd('poll', id, leftMs, reply),
      read: async () => findOwnedJob(request, id, answerReader({ capacity, store }, request, reply)),
      answerWhole: whole => sendAnswer(request, reply, whole, now()),
      abandon: async () => undefined,
      form: createEventIds(),
    })
  })
}

/** By `Last-Event-ID`, or from the beginning of what there is. */
const askedPosition = (request: FastifyRequest, { log }: JobRecord): StreamPosition => {
  const id = request.headers['last-event-id']?.toString()
  if (id === undefined) return { run: log?.run ?? null, offset: 0 }
  const position = positionOf(id)
  if (position !== null) return position
  throw new BatonError('invalid_request', 'The id of the last event is none of a stream of this server.', {
    param: 'Last-Event-ID',
  })
}

const isAtEnd = ({ run, offset }: StreamPosition, { log }: JobRecord): boolean =>
  log !== null && log.bytes !== null && eventIdAt(run ?? '', offset) === eventIdAt(log.run, log.bytes)

const notStreamed = (): BatonError =>
  new BatonError('stream_not_found', 'The job is not streamed: its request does not have `stream: true`.', {
    param: 'id',
  })
