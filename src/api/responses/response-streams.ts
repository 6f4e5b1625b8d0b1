import type { FastifyReply, FastifyRequest } from 'fastify'
import { isTerminal } from '../../domain/job.ts'
import { eventText } from '../../domain/streaming/sse-event.ts'
import type { JobRecord } from '../../jobs/record.ts'
import { JsonText, writeJson } from '../../json/json-text.ts'
import type { Capacity } from '../http/capacity.ts'
import { answerReader } from '../jobs/answer-reader.ts'
import type { JobWaits } from '../jobs/job-waits.ts'
import type { ApiParts } from '../parts.ts'
import { streamHeaders } from '../streams/event-outlet.ts'
import type { AnswerStream } from '../streams/stream-answers.ts'
import { createOwnEvents } from './own-events.ts'
import { asOurs, responseView } from './response-view.ts'

export interface ResponseHeld {
  readonly waits: JobWaits
  readonly capacity: Capacity
  readonly answerStream: AnswerStream
}

/** A job that is past its deadline is ended by a sweeper soon after. */
const sweepGraceMs = 15_000

/**
 * Answers with the stream of a response in the background: what of it comes after the event with the number `after`. Whoever leaves
 * can come back, so the response goes on without readers.
 */
export const streamResponse = async (
  { store, streamLogs, now }: Pick<ApiParts, 'now' | 'store' | 'streamLogs'>,
  { waits, capacity, answerStream }: ResponseHeld,
  request: FastifyRequest,
  reply: FastifyReply,
  head: JobRecord,
  { id, after }: { readonly id: string; readonly after: number },
): Promise<FastifyReply> => {
  const read = answerReader({ capacity, store }, request, reply)
  const whole = async (): Promise<JobRecord> => (await read(head.id)) ?? head
  const isOver = isTerminal(head.status)
  const sendEnd = (record: JobRecord): FastifyReply =>
    reply.headers(streamHeaders).send(endEvent(record, after + 1))
  if (isOver && (await isGone(streamLogs, head))) return sendEnd(await whole())
  const leave = capacity.enter('stream', request.tenant)
  reply.raw.once('close', leave)
  if (!isOver) await streamLogs.join(head.id)
  const leftMs = head.expiresAtMs - now() + sweepGraceMs
  return answerStream(request, reply, {
    ...{ id: head.id, endpoint: '/v1/responses', includeUsage: false, isLate: true, comesBack: true },
    from: { run: head.log?.run ?? null, offset: 0 },
    ended: isOver ? Promise.resolve('over') : waits.untilEnd('poll', head.id, leftMs, reply),
    read: async () => underOurId(await whole(), id),
    answerWhole: sendEnd,
    abandon: async () => undefined,
    form: createOwnEvents(id, after),
  })
}

/** A log is kept for a while only. */
const isGone = async (logs: ApiParts['streamLogs'], { id, log }: JobRecord): Promise<boolean> =>
  log === null || (await logs.read(id, log.run, 0, 1)).length === 0

const underOurId = (record: JobRecord, id: string): JobRecord =>
  record.response === null
    ? record
    : { ...record, response: { ...record.response, body: asOurs(record.response.body, id) } }

/** The last event of a response, which has all of it. */
const endEvent = (record: JobRecord, sequence_number: number): string => {
  const text = writeJson(responseView(record, null))
  const { status } = JSON.parse(text) as { status: string }
  const type = `response.${status}`
  return eventText(null, type).replace('null', () =>
    writeJson({ type, response: new JsonText(text), sequence_number }),
  )
}
