import { finishWord, meaningOf } from '../domain/classify/finish-words.ts'
import { holdsAnswer } from '../domain/classify/judge-answer.ts'
import type { Endpoint } from '../domain/endpoint.ts'
import { isJsonObject, type JsonObject } from '../json/json-object.ts'

const isFilled = (value: unknown): value is string | unknown[] =>
  (typeof value === 'string' || Array.isArray(value)) && value.length > 0

/** All finish reasons that mean a limit of length. */
const cuts: ReadonlySet<string | null> = new Set([
  ...['length', 'max_tokens', 'model_length', 'model_context_window_exceeded', 'max_output_tokens'],
])

/**
 * Whether an answer with this finish reason may be kept. An unknown reason may mean anything, and a paused
 * turn has to be continued.
 */
const endsWell = (said: unknown, keepsCut: boolean): boolean => {
  const word = finishWord(said)
  if (cuts.has(word)) return keepsCut
  return meaningOf(word) === 'ok' && word !== 'pause_turn'
}

/** A choice behind the first may be filtered, and the answer judged good. */
const everyChoice = (choices: unknown, keepsCut: boolean, holds: (choice: JsonObject) => boolean): boolean =>
  isFilled(choices) &&
  [...choices].every(
    choice => isJsonObject(choice) && endsWell(choice.finish_reason, keepsCut) && holds(choice),
  )

const isFilledBlock = (block: unknown): boolean =>
  isJsonObject(block) && (block.type === 'text' ? isFilled(block.text) : block.type !== 'thinking')

const isGood: Readonly<Record<Endpoint, (answer: JsonObject, keepsCut: boolean) => boolean>> = {
  '/v1/chat/completions': ({ choices }, keepsCut) =>
    everyChoice(choices, keepsCut, ({ message }) => isJsonObject(message) && holdsAnswer(message)),
  '/v1/completions': ({ choices }, keepsCut) => everyChoice(choices, keepsCut, ({ text }) => isFilled(text)),
  '/v1/messages': ({ content, stop_reason }, keepsCut) =>
    endsWell(stop_reason, keepsCut) && Array.isArray(content) && content.some(isFilledBlock),
  '/v1/responses': ({ status, output, incomplete_details: details }, keepsCut) =>
    isFilled(output) &&
    (status === 'completed' ||
      (status === 'incomplete' && isJsonObject(details) && cuts.has(finishWord(details.reason)) && keepsCut)),
  '/v1/embeddings': ({ data }) => isFilled(data),
}

/**
 * Whether a good answer is worth keeping: it holds something, and came to its own end, or to a limit of
 * length where these are kept as well. The next to ask may be luckier than with an empty one. Never throws.
 */
export const isCacheable = (endpoint: Endpoint, body: string, keepsCut: boolean): boolean => {
  try {
    const answer: unknown = JSON.parse(body)
    return isJsonObject(answer) && isGood[endpoint](answer, keepsCut)
  } catch {
    return false
  }
}
