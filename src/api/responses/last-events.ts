import { failureStatus, isTerminal, type JobError, jobErrorCodes } from '../../domain/job.ts'
import { toldFailure } from '../../domain/job-failure.ts'
import { errorEvents } from '../../domain/streaming/error-events.ts'
import { eventsOfText } from '../../domain/streaming/events-of-answer.ts'
import type { JobRecord } from '../../jobs/record.ts'
import { JsonText, writeJson } from '../../json/json-text.ts'
import { memberText } from '../../json/members.ts'
import { type OwnEvents, responseEvent } from './own-events.ts'
import { hasAnswer, responseView, unansweredView } from './response-view.ts'

/** Numbered by who passes it on. */
const endEvent = (status: string, response: object): string =>
  responseEvent(`response.${status}`, { response, sequence_number: 0 })

const statusIn = (answer: string): string => {
  const status = memberText(answer, 'status')?.text
  return status === '"incomplete"' || status === '"failed"' ? (JSON.parse(status) as string) : 'completed'
}

/** The end of a response whose log has less than its whole stream, though it has its answer. */
const endOfAnswer = (record: JobRecord, own: OwnEvents): string => {
  const wasNeverLogged = record.isStreamed && record.log === null
  const { body } = record.response!
  const events = wasNeverLogged ? eventsOfText('/v1/responses', body, { includeUsage: true }) : null
  if (events !== null) return own.last(events, true)
  const text = writeJson(responseView(record, null))
  return own.last(endEvent(statusIn(text), new JsonText(text)), false)
}

/** One that is still open after its deadline has expired for its client. */
const failureOf = ({ status, error }: JobRecord): JobError =>
  isTerminal(status) && error !== null ? error : { code: 'expired', message: jobErrorCodes.expired }

const endOfFailure = (record: JobRecord, request: unknown, own: OwnEvents, requestId: string): string => {
  const error = failureOf(record)
  const told = toldFailure(error, failureStatus[error.code])
  const status = record.status === 'cancelled' ? 'cancelled' : 'failed'
  const { code, message } = told
  const shown = {
    ...unansweredView(record, request, status),
    error: status === 'failed' ? { code, message } : null,
  }
  // Who has a part of an answer is told that it is void, as in any other stream.
  if (!own.hasPart) return own.last(endEvent(status, shown), record.log === null)
  const failed = { response: shown, sequenceNumber: 0 }
  return own.last(errorEvents('/v1/responses', { ...told, param: null }, requestId, failed), true)
}

/**
 * What the stream of a response in the background ends with where that is not in its log. Where the log is gone, the last event
 * stands for all that the reader has not had: it has the whole response. `request`: its parsed body; unread where there is an answer.
 */
export const lastEvents = (
  record: JobRecord,
  request: unknown,
  own: OwnEvents,
  requestId: string,
): string => {
  if (hasAnswer(record)) return own.begun() + endOfAnswer(record, own)
  return (record.startedAtMs === null ? '' : own.begun()) + endOfFailure(record, request, own, requestId)
}
