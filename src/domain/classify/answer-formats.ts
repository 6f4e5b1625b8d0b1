import type { UpstreamDialect } from '../endpoint.ts'
import { asRecord, type JsonRecord } from './json-shape.ts'

const marks: Readonly<Record<UpstreamDialect, (body: JsonRecord) => boolean>> = {
  openai: ({ choices, output }) => Array.isArray(choices) || Array.isArray(output),
  mistral: ({ choices }) => Array.isArray(choices),
  anthropic: ({ content }) => Array.isArray(content),
  google: ({ candidates, promptFeedback, usageMetadata }) =>
    Array.isArray(candidates) || asRecord(promptFeedback ?? usageMetadata) !== null,
  bedrock: ({ output, stopReason }) => asRecord(output) !== null || typeof stopReason === 'string',
  cohere: ({ message }) => asRecord(message) !== null,
}

/** Whether a 2xx has what no answer of that API lacks: a page's or another server's JSON does not. */
export const isInFormatOf = (dialect: UpstreamDialect, body: JsonRecord): boolean => marks[dialect](body)
