import type { JsonObject } from '../../json/json-object.ts'
import type { UpstreamDialect } from '../endpoint.ts'
import { asRecord, firstRecord, isFilledArray } from './json-shape.ts'

const marks: Readonly<Record<UpstreamDialect, (body: JsonObject) => boolean>> = {
  openai: ({ choices, output }) => Array.isArray(choices) || Array.isArray(output),
  mistral: ({ choices }) => Array.isArray(choices),
  anthropic: ({ content }) => Array.isArray(content),
  google: ({ candidates, promptFeedback, usageMetadata }) =>
    Array.isArray(candidates) || asRecord(promptFeedback ?? usageMetadata) !== null,
  bedrock: ({ output, stopReason }) => asRecord(output) !== null || typeof stopReason === 'string',
  cohere: ({ message }) => asRecord(message) !== null,
}

/** Whether a 2xx has what no answer of that API lacks: a page's or another server's JSON does not. */
export const isInFormatOf = (dialect: UpstreamDialect, body: JsonObject): boolean => marks[dialect](body)

/**
 * Whether an answer in OpenAI's format holds what a translation silently leaves out: images, as routers write
 * them, and a `function_call` in the old format.
 */
export const holdsMore = (json: unknown): boolean => {
  const message = asRecord(firstRecord(asRecord(json)?.choices)?.message)
  if (message === null) return false
  const isOldCall = asRecord(message.function_call) !== null && !isFilledArray(message.tool_calls)
  return isFilledArray(message.images) || isOldCall
}
