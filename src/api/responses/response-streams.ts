import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { isTerminal } from '../../domain/job.ts'
import type { JobRecord } from '../../jobs/record.ts'
import type { JobStore } from '../../jobs/types.ts'
import { writeJson } from '../../json/json-text.ts'
import { responseIdOf } from '../../redis/keys.ts'
import type { Capacity } from '../http/capacity.ts'
import { answerReader } from '../jobs/answer-reader.ts'
import type { JobWaits } from '../jobs/job-waits.ts'
import type { ApiParts } from '../parts.ts'
import type { AnswerStream } from '../streams/stream-answers.ts'
import { lastEvents } from './last-events.ts'
import { createOwnEvents } from './own-events.ts'
import { hasAnswer, unansweredView } from './response-view.ts'

export interface ResponseHeld {
  readonly waits: JobWaits
  readonly capacity: Capacity
  readonly answerStream: AnswerStream
}

/** A job that is past its deadline is ended by a sweeper soon after. */
const sweepGraceMs = 15_000

/**
 * How long after the first events the record is looked at for whether a worker has the job, and then after twice as long, up to the
 * longest. Most answers begin before the second look, and say it themselves.
 */
const firstLookMs = 250
const longestLookMs = 10_000

/** The parsed body of the request that a response was asked with; null where it is not kept. */
export const requestOf = async (store: Pick<JobStore, 'readBody'>, { id }: JobRecord): Promise<unknown> => {
  const body = await store.readBody(id)
  return body === null ? null : JSON.parse(body)
}

/** Calls `tell` once a worker has the job, unless it has ended before, or its reader is gone. */
const whenStarted = async (
  store: Pick<JobStore, 'readHeads'>,
  head: JobRecord,
  ended: Promise<unknown>,
  tell: () => void,
): Promise<void> => {
  const over = new AbortController()
  const stop = (): void => over.abort()
  ended.then(stop, stop)
  let current: JobRecord | undefined = head
  for (let waitMs = firstLookMs; ; waitMs = Math.min(2 * waitMs, longestLookMs)) {
    if (current?.startedAtMs != null) return tell()
    await delay(waitMs, undefined, { signal: over.signal }).catch(() => undefined)
    if (over.signal.aborted) return
    // While Redis is away nothing is known.
    const heads = await store.readHeads([head.id]).catch(() => [])
    current = heads[0] ?? undefined
    if (over.signal.aborted) return
  }
}

/**
 * Answers with the stream of a response in the background: what of it comes after the event with the number `after`. Whoever leaves
 * can come back, so the response goes on without readers. `request`: the parsed body that it was asked with.
 */
export const streamResponse = async (
  { store, streamLogs, now }: Pick<ApiParts, 'now' | 'store' | 'streamLogs'>,
  { waits, capacity, answerStream }: ResponseHeld,
  request: FastifyRequest,
  reply: FastifyReply,
  head: JobRecord,
  asked: unknown,
  after: number,
): Promise<FastifyReply> => {
  const read = answerReader({ capacity, store }, request, reply)
  const isOver = isTerminal(head.status)
  const leave = capacity.enter('stream', request.tenant)
  reply.raw.once('close', leave)
  if (!isOver) await streamLogs.join(head.id)
  const leftMs = head.expiresAtMs - now() + sweepGraceMs
  const ended = isOver ? Promise.resolve('over' as const) : waits.untilEnd('poll', head.id, leftMs, reply)
  // Without the request's input, which is not held while its answer is waited for.
  const waiting = unansweredView(head, asked, 'queued')
  const own = createOwnEvents({
    ...{ id: responseIdOf(head.id), after },
    early: status => writeJson({ ...waiting, status }),
  })
  return answerStream(request, reply, {
    ...{ id: head.id, endpoint: '/v1/responses', includeUsage: false, isLate: true, comesBack: true },
    from: { run: head.log?.run ?? null, offset: 0 },
    ended,
    read: async () => (await read(head.id)) ?? head,
    answerWhole: () => reply,
    abandon: async () => undefined,
    lead: say => {
      say(own.accepted())
      if (!isOver) void whenStarted(store, head, ended, () => say(own.begun()))
    },
    form: own.take,
    rest: async record =>
      lastEvents(record, hasAnswer(record) ? null : await requestOf(store, record), own, request.id),
  })
}
