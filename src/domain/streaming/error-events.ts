import type { JsonObject } from '../../json/json-object.ts'
import { type ErrorAnswer, errorBody, errorTypeOf } from '../classify/error-shape.ts'
import type { StreamedEndpoint } from './answer-fold.ts'
import { doneText, eventText } from './sse-event.ts'

/** What a stream of Responses has said before it failed. */
export interface FailedResponse {
  /** The response so far, as the fold has it; null or without an id when no event has named it. */
  readonly response: JsonObject | null
  /** The number of the event to come; see `nextSequenceNumber`. */
  readonly sequenceNumber: number
}

const none: FailedResponse = { response: null, sequenceNumber: 0 }

/**
 * The end of a stream that failed: one error event that the official clients raise from, in the words of a plain error, and what the
 * format ends with.
 */
export const errorEvents = (
  endpoint: StreamedEndpoint,
  answer: ErrorAnswer,
  requestId: string,
  failed: FailedResponse = none,
): string => {
  switch (endpoint) {
    case '/v1/messages':
      return eventText(errorBody('anthropic', answer, requestId), 'error')
    case '/v1/responses':
      return responseErrorEvents(answer, failed)
    case '/v1/chat/completions':
    case '/v1/completions':
      return eventText(errorBody('openai', answer, requestId)) + doneText
  }
}

/**
 * OpenAI's clients read `error` within the event, which is how OpenAI sends it; its reference has the members at the top. Clients that
 * follow the state of the response (Codex, the Agents SDK) wait for `response.failed`.
 */
const responseErrorEvents = (answer: ErrorAnswer, { response, sequenceNumber }: FailedResponse): string => {
  const { status, code, message, param } = answer
  const type = errorTypeOf('openai', status)
  const error = { type, code, message, param }
  const event = { type: 'error', code, message, param, error, sequence_number: sequenceNumber }
  if (typeof response?.id !== 'string') return eventText(event, 'error')
  const failed = {
    type: 'response.failed',
    response: { ...response, status: 'failed', error: { code, message } },
    sequence_number: sequenceNumber + 1,
  }
  return eventText(event, 'error') + eventText(failed, failed.type)
}

/** Quotes within a text are escaped, so only a member's name is followed by its colon like this. */
const sequenceNumbers = /"sequence_number":\s*(\d+)/g

/** The number that follows the last event in this text of a stream of Responses; 0 without one. */
export const nextSequenceNumber = (text: string): number => {
  const last = [...text.matchAll(sequenceNumbers)].at(-1)
  return last === undefined ? 0 : Number(last[1]) + 1
}
