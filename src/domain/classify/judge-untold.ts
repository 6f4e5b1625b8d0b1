import type { JsonObject } from '../../json/json-object.ts'
import type { UpstreamDialect } from '../endpoint.ts'
import type { UpstreamAnswer } from '../upstream.ts'
import { isInFormatOf } from './answer-formats.ts'
import { finishWord, meaningOf } from './finish-words.ts'
import { firstRecord } from './json-shape.ts'
import type { Finding } from './verdict.ts'

/**
 * Judges a 2xx that was not translated from the provider's own format. Its finish reason comes first: a
 * failure is no answer. A body that is not in that format either, such as another server's JSON, is lost.
 */
export function judgeUntold(
  body: JsonObject,
  { finish, untold: why }: Pick<UpstreamAnswer, 'finish' | 'untold'>,
  dialect: UpstreamDialect,
): Finding {
  const word = finishWord(finish ?? endOf(body, dialect))
  const meaning = meaningOf(word)
  if (meaning !== undefined && meaning !== 'ok' && meaning !== 'refused')
    return { kind: meaning, reason: word! }
  if (!isInFormatOf(dialect, body)) return { kind: 'transient', reason: 'unusable' }
  if (why === 'malformed') return { kind: 'malformed', reason: 'tool_arguments' }
  return isBlank(body, dialect)
    ? { kind: 'malformed', reason: word ?? 'empty' }
    : { kind: 'untranslatable', reason: word ?? 'untranslatable' }
}

const endOf = (body: JsonObject, dialect: UpstreamDialect): unknown => {
  switch (dialect) {
    case 'anthropic':
      return body.stop_reason
    case 'google':
      return firstRecord(body.candidates)?.finishReason
    case 'bedrock':
      return body.stopReason
    case 'cohere':
      return body.finish_reason
    case 'openai':
    case 'mistral':
      return firstRecord(body.choices)?.finish_reason
  }
}

/** Whether the member that would hold an answer is missing. */
const isBlank = ({ choices, candidates, output }: JsonObject, dialect: UpstreamDialect): boolean => {
  if (dialect === 'google') return firstRecord(candidates) === null
  return (dialect === 'openai' || dialect === 'mistral') && firstRecord(choices ?? output) === null
}
