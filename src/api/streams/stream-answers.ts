import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { isTerminal } from '../../domain/job.ts'
import type { StreamedEndpoint } from '../../domain/streaming/answer-fold.ts'
import { restartEvent } from '../../domain/streaming/restart-event.ts'
import type { JobRecord } from '../../jobs/record.ts'
import type { StreamHub } from '../../streams/stream-hub.ts'
import type { StreamLeavers } from '../../streams/stream-leavers.ts'
import type { StreamLogs } from '../../streams/stream-logs.ts'
import { createStreamReader, type StreamPosition } from '../../streams/stream-reader.ts'
import { shuttingDown } from '../http/closing.ts'
import { traceOf } from '../http/errors.ts'
import type { WaitOutcome } from '../jobs/job-waits.ts'
import { createEventOutlet, streamHeaders } from './event-outlet.ts'
import { isAnswered, type PartOfStream, restOfStream, shutdownEvents } from './rest-of-stream.ts'

/** A job whose stream a connection asks for. */
export interface StreamedJob {
  readonly id: string
  readonly endpoint: StreamedEndpoint
  /** Whether the client asked for the chunk that tells what was used. */
  readonly includeUsage: boolean
  readonly from: StreamPosition
  /** Whether a part of it may be there already. */
  readonly isLate: boolean
  /** Resolves when the job has ended, or is not to be waited for any more. */
  readonly ended: Promise<WaitOutcome>
  /** Reads it once it has ended. */
  read(): Promise<JobRecord>
  /** Answers without a stream: with the failure of a job that gave nothing to stream. */
  answerWhole(record: JobRecord): FastifyReply
  /** This process stops before its end. */
  abandon(): Promise<void>
  /** Whether its client goes on by itself when it is cut off. */
  readonly comesBack?: boolean
  /** Whether it begins anew, by an event of its own, where it breaks off. */
  readonly restarts?: boolean
  /** Puts bytes of the log into the form that this door gives them; `position` is the one behind them. */
  readonly form?: (bytes: Buffer, position: StreamPosition) => Buffer | string
  /** What this door says itself before the stream and, between whole events, later: then nothing is held until the first content. */
  readonly lead?: (say: (events: string) => void) => void
  /** What it ends with where the log does not tell the end; in the words of every stream where absent. */
  readonly rest?: (record: JobRecord) => Promise<string>
}

interface StreamAnswerParts {
  readonly hub: StreamHub
  readonly logs: StreamLogs
  readonly leavers: StreamLeavers
  readonly keepaliveMs: number
  readonly log: Logger
}

/** Answers a request with the stream of a job. Throws `shutting_down` where this process stops before anything is there. */
export type AnswerStream = (
  request: FastifyRequest,
  reply: FastifyReply,
  job: StreamedJob,
) => Promise<FastifyReply>

const asItIs = (bytes: Buffer): Buffer => bytes

/** The stream of a job on its way to one connection, and how it ends. */
const openWay = (
  { hub, logs, leavers, keepaliveMs }: StreamAnswerParts,
  job: StreamedJob,
  requestId: string,
) => {
  const { id, endpoint, includeUsage, from, form = asItIs } = job
  const begun = Promise.withResolvers<'begun'>()
  let [first, last]: (Buffer | null)[] = [null, null]
  let isOver = false

  const outlet = createEventOutlet({
    onReady: () => reader.resume(),
    onClosed: () => {
      reader.close()
      if (!isOver) leavers.left(id)
    },
    keepaliveMs,
  })
  const write = (bytes: Buffer): boolean => {
    first ??= bytes
    last = bytes
    begun.resolve('begun')
    const formed = form(bytes, reader.position)
    return formed.length === 0 || outlet.write(formed)
  }
  const say = (events: string): void => {
    if (events !== '') outlet.write(events)
  }
  const beginAnew = (): void => {
    ;[first, last] = [null, null]
    outlet.write(restartEvent(endpoint))
  }
  const reader = createStreamReader({
    ...{ jobId: id, hub, logs, from, write },
    beginAnew: job.restarts ? beginAnew : undefined,
  })
  const part = (): PartOfStream => ({
    endpoint,
    includeUsage,
    requestId,
    first: first ?? null,
    last: last ?? null,
  })

  return {
    outlet,
    begun: begun.promise,
    catchUp: reader.catchUp,
    say,
    /** For proxies: the client waits on. */
    beginEmpty: () => {
      outlet.comment()
      begun.resolve('begun')
    },
    /** There is nothing to come for the reader, or nobody to read it. */
    close: (over: boolean) => {
      isOver = over
      outlet.end()
    },
    /** Sends the rest of a job that has ended. Rejects when Redis cannot be read. */
    finish: async (record: JobRecord): Promise<void> => {
      isOver = isTerminal(record.status)
      const end = isOver ? await reader.finish(record.log) : 'short'
      if (end !== 'whole' && job.rest) say(await job.rest(record))
      else if (end !== 'whole') {
        const hasSome = reader.position.offset > 0
        const isAnew = hasSome && job.restarts === true && isAnswered(record)
        if (isAnew) beginAnew()
        outlet.write(restOfStream(part(), record, !hasSome || isAnew))
      }
      outlet.end()
    },
    stopShort: () => {
      if (!job.comesBack) outlet.write(shutdownEvents(part()))
      outlet.end()
    },
  }
}

/**
 * Holds the headers until the first bytes of the stream, so that until then a failure is an HTTP error as without streaming;
 * where that takes long, they go out with a comment, so that no proxy cuts the wait.
 */
export const createAnswerStream = (parts: StreamAnswerParts): AnswerStream => {
  const { keepaliveMs, log } = parts

  return async (request, reply, job) => {
    const way = openWay(parts, job, request.id)
    const cut = (error: unknown): void => {
      log.error({ event: 'stream.cut', jobId: job.id, ...traceOf(error) }, 'stream cut')
      way.outlet.stream.destroy()
    }
    const goOn = async (outcome: WaitOutcome): Promise<void> => {
      if (outcome === 'over') return way.finish(await job.read())
      if (outcome === 'disconnected') return way.close(false)
      await job.abandon()
      way.stopShort()
    }
    const begin = (rest: Promise<void>): FastifyReply => {
      rest.catch(cut)
      return reply.headers(streamHeaders).send(way.outlet.stream)
    }

    const answer = async (): Promise<FastifyReply> => {
      job.lead?.(way.say)
      if (job.isLate) way.catchUp()
      if (job.lead) return begin(job.ended.then(goOn))
      const wait = setTimeout(way.beginEmpty, keepaliveMs)
      const outcome = await Promise.race([way.begun, job.ended]).finally(() => clearTimeout(wait))
      if (outcome === 'begun') return begin(job.ended.then(goOn))
      if (outcome === 'over') {
        const record = await job.read()
        if (record.log !== null || record.status === 'succeeded') return begin(way.finish(record))
        way.close(isTerminal(record.status))
        return job.answerWhole(record)
      }
      way.close(false)
      if (outcome === 'disconnected') return reply.hijack()
      await job.abandon()
      throw shuttingDown()
    }

    return answer().catch(error => {
      way.close(false)
      throw error
    })
  }
}
