import type { LanguageModelV4FinishReason } from '@ai-sdk/provider'
import { isInFormatOf } from '../domain/classify/answer-formats.ts'
import { factsInAnswer } from '../domain/classify/error-in-answer.ts'
import { finishWord, meaningOf } from '../domain/classify/finish-words.ts'
import type { Dialect, UpstreamDialect } from '../domain/endpoint.ts'
import type { UpstreamAnswer, UpstreamOutcome } from '../domain/upstream.ts'
import { isJsonObject } from '../json/json-object.ts'
import { MalformedAnswerError, UntranslatableError } from './formats/format-adapter.ts'
import type { Seals } from './seals.ts'

export const isSuccess = (outcome: UpstreamOutcome): outcome is UpstreamAnswer =>
  outcome.kind === 'answer' && outcome.status >= 200 && outcome.status < 300

/** The SDKs would take an error, or any other JSON, for an empty answer. */
export const isAnswerOf = (dialect: UpstreamDialect, json: unknown): boolean =>
  isJsonObject(json) && factsInAnswer(json) === null && isInFormatOf(dialect, json)

/** The provider's own finish reason, unless only the SDK knows that it means a refusal. */
export const endOf = ({ raw, unified }: LanguageModelV4FinishReason): string | null =>
  unified === 'content-filter' && ['ok', undefined].includes(meaningOf(finishWord(raw)))
    ? 'content_filter'
    : (raw ?? null)

/**
 * The format of the client may have no word for it, and the provider has more to say of it than fits there.
 */
export const isFailure = (finish: string | null): boolean => {
  const meaning = meaningOf(finishWord(finish))
  return meaning !== undefined && meaning !== 'ok' && meaning !== 'refused'
}

/** An answer in the client's format, with the inputs of tools as the model wrote them. `written`: the same as text. */
export const opened = (
  made: unknown,
  seals: Seals,
  written = JSON.stringify(made),
): Pick<UpstreamAnswer, 'text' | 'json'> => {
  const text = seals.open(written)
  return { text, json: text === written ? made : JSON.parse(text) }
}

/**
 * Stands in for the provider's answer to a request that could not be put into its format, so was never sent:
 * the caller's doing, hence a 400, in a shape that is judged as such in any dialect, and no fault of the
 * provider.
 */
const untranslatable = (dialect: Dialect, message: string): UpstreamAnswer => {
  const error = { type: 'invalid_request_error', message }
  const json =
    dialect === 'anthropic'
      ? { type: 'error', error: { ...error, code: 'untranslatable' }, request_id: null }
      : { error: { ...error, param: null, code: 'untranslatable' } }
  return { kind: 'answer', status: 400, headers: {}, text: JSON.stringify(json), json }
}

const reasonOf = (error: unknown): string => {
  if (error instanceof UntranslatableError) return error.message
  // The stack was not enough for what the SDK writes by recursion.
  if (error instanceof RangeError)
    return 'the request is nested too deeply to be translated for this provider'
  return 'the request cannot be translated for this provider'
}

/** Why an answer was not translated, by what kept it from that. */
export const untoldBy = (error: unknown): NonNullable<UpstreamAnswer['untold']> =>
  error instanceof MalformedAnswerError ? 'malformed' : 'untranslatable'

/** What a failed translation comes to, by how far the call had gone. `raw`: the provider's answer, null before there was any. */
export const outcomeOfFailure = (
  raw: UpstreamOutcome | null,
  dialect: Dialect,
  error: unknown,
): UpstreamOutcome => {
  if (raw === null) return untranslatable(dialect, reasonOf(error))
  if (!isSuccess(raw)) return raw
  // Paid for, so it is judged as it came and given to the job's owner. The SDK's error holds the request and
  // stays here.
  return { ...raw, untold: untoldBy(error) }
}
