import type { ErrorAnswer } from '../../domain/classify/error-shape.ts'
import { failureStatus, type JobError, jobErrorCodes } from '../../domain/job.ts'
import { toldFailure } from '../../domain/job-failure.ts'
import type { StreamedEndpoint } from '../../domain/streaming/answer-fold.ts'
import { createAnswerFold } from '../../domain/streaming/create-answer-fold.ts'
import { errorEvents, type FailedResponse, nextSequenceNumber } from '../../domain/streaming/error-events.ts'
import { eventsOfText } from '../../domain/streaming/events-of-answer.ts'
import { SseSplitter } from '../../domain/streaming/sse-splitter.ts'
import type { JobRecord } from '../../jobs/record.ts'
import { shuttingDown } from '../http/closing.ts'

/** What a connection knows of the stream that it has had so far. */
export interface PartOfStream {
  readonly endpoint: StreamedEndpoint
  readonly requestId: string
  readonly includeUsage: boolean
  /** The first bytes that it passed on, and the last; null before any. */
  readonly first: Buffer | null
  readonly last: Buffer | null
}

/** A stream of Responses says in an error which response failed, and counts it. */
const failedResponse = ({ endpoint, first, last }: PartOfStream): FailedResponse | undefined => {
  if (endpoint !== '/v1/responses' || first === null || last === null) return undefined
  const fold = createAnswerFold(endpoint)
  for (const event of new SseSplitter().push(first.toString())) fold.take(event)
  return { response: fold.answer(), sequenceNumber: nextSequenceNumber(last.toString()) }
}

const failureEvents = (part: PartOfStream, answer: ErrorAnswer): string =>
  errorEvents(part.endpoint, answer, part.requestId, failedResponse(part))

/** The end of a stream where this process stops before the job has ended. */
export const shutdownEvents = (part: PartOfStream): string => failureEvents(part, shuttingDown())

const lostLog: JobError = {
  code: 'stream_broken',
  message: 'The rest of the stream is not kept any more; the job has its whole answer.',
}

/** Why a job that has ended has not answered. One that is still open after its deadline has expired for its client. */
const failureOf = ({ status, error }: JobRecord): JobError =>
  status === 'succeeded' ? lostLog : (error ?? { code: 'expired', message: jobErrorCodes.expired })

/** Whether there is an answer to be sent in place of its stream. */
export const isAnswered = ({ status, response }: JobRecord): boolean =>
  status === 'succeeded' && response !== null

/**
 * What is sent where the log of a job that has ended does not have the rest of its stream: the answer itself to a reader that has
 * nothing yet, an error to others. Two answers are never glued together.
 */
export const restOfStream = (part: PartOfStream, record: JobRecord, hasNothing: boolean): string => {
  const whole =
    hasNothing && isAnswered(record) ? eventsOfText(part.endpoint, record.response!.body, part) : null
  if (whole !== null) return whole
  const error = failureOf(record)
  const told = toldFailure(error, failureStatus[error.code])
  return failureEvents(part, { ...told, param: null, lastError: error.last_error })
}
