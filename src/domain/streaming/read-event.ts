import type { JsonObject } from '../../json/json-object.ts'
import { factsInAnswer } from '../classify/error-in-answer.ts'
import { finishWord, meaningOf } from '../classify/finish-words.ts'
import { asRecord, firstRecord, isFilledText } from '../classify/json-shape.ts'
import type { SseEvent } from './sse-event.ts'

/** What an event says: part of an answer, or an error, as the provider would give it without streaming. */
export type ReadEvent =
  | { readonly body: JsonObject; readonly error?: undefined }
  | { readonly error: JsonObject; readonly body?: undefined }

/** The client could not read it either: official SDKs throw. Judged like any error of a server. */
const malformed: JsonObject = {
  error: {
    message: 'An event of the stream is not valid JSON.',
    type: 'server_error',
    code: 'malformed_event',
  },
}

/** Null for an event that says nothing: comments, empty data, JSON that is no object. */
export const readEvent = ({ name, data }: SseEvent): ReadEvent | null => {
  if (data === null || data.trim() === '') return null
  const json = parse(data)
  const body = asRecord(json)
  if (body === null && name === 'error') return { error: { error: { message: data } } }
  if (json === undefined) return { error: malformed }
  if (body === null) return null
  const error = errorIn(body, name === 'error' || body.type === 'error')
  return error === null ? { body } : { error }
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** `isNamed`: the event calls itself an error. Others have one inside a chunk, as they have inside a 2xx. */
const errorIn = (body: JsonObject, isNamed: boolean): JsonObject | null => {
  if (!isNamed && factsInAnswer(body) === null) return null
  const { error, choices, base_resp, object, detail } = body
  if (asRecord(error) !== null || isFilledText(error)) return choices === undefined ? body : { error }
  const inner = firstRecord(choices)?.error
  if (inner !== undefined) return { error: inner }
  if (asRecord(base_resp) !== null) return { base_resp }
  if (object === 'error' || detail !== undefined) return body
  // Responses has its members at the top, beside what only an event has.
  const { type: _, sequence_number: __, ...told } = body
  return { error: told }
}

/**
 * The error that a finish such as `error` or `network_error` is, where content came before it; without content the answer is judged
 * by it, as a plain one is.
 */
export const errorOfFinish = (finish: unknown): JsonObject | null => {
  const word = finishWord(finish)
  const meaning = meaningOf(word)
  if (meaning === undefined || meaning === 'ok' || meaning === 'refused') return null
  return { error: { message: `The answer ended with "${word}".`, type: 'server_error', code: word } }
}
