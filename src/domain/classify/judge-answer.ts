import type { JsonObject } from '../../json/json-object.ts'
import type { Endpoint, UpstreamDialect } from '../endpoint.ts'
import type { UpstreamAnswer } from '../upstream.ts'
import type { ErrorFacts } from './error-facts.ts'
import { factsInAnswer, impliedStatus } from './error-in-answer.ts'
import { readEventStream } from './event-stream.ts'
import { finishWord, meaningOf, promisesCalls } from './finish-words.ts'
import { asCode, asRecord, firstRecord, isFilledArray, isFilledText } from './json-shape.ts'
import { judgeFacts } from './judge-error.ts'
import { judgeUntold } from './judge-untold.ts'
import type { Finding } from './verdict.ts'

const ok = (finish: string | null): Finding => ({ kind: 'ok', reason: finish ?? 'ok' })
const refused = (reason: string): Finding => ({ kind: 'refused', reason })
/** Not in the endpoint's format at all, so the API did not write it. */
const lost = (reason: string): Finding => ({ kind: 'transient', reason })
/** In its format, so paid for, and nothing in it for the client. */
const spoiled = (reason: string | null): Finding => ({ kind: 'malformed', reason: reason ?? 'empty' })

/**
 * Judges a 2xx answer: errors in disguise first, then whether the body is in the endpoint's format. A body
 * that is was paid for, and its content says nothing about the provider's health.
 */
export function judgeAnswer(answer: UpstreamAnswer, endpoint: Endpoint, dialect: UpstreamDialect): Finding {
  if (answer.unread !== undefined) return { kind: 'untranslatable', reason: answer.unread }
  if (answer.json === undefined) return judgeText(answer.text, endpoint, dialect)
  const body = asRecord(answer.json)
  if (body === null) return lost('unusable')
  const facts = factsInAnswer(body)
  if (facts !== null) return judgeInner(facts, endpoint, dialect)
  if (answer.untold !== undefined) return judgeUntold(body, answer, dialect)
  return judges[endpoint](body, answer.finish)
}

/** A body that is not JSON: empty, a page, or a stream that was not asked for. */
function judgeText(text: string, endpoint: Endpoint, dialect: UpstreamDialect): Finding {
  if (text.trim() === '') return lost('empty')
  const stream = readEventStream(text)
  if (stream === null) return lost('not_json')
  if (stream.facts !== null) return judgeInner(stream.facts, endpoint, dialect)
  return stream.isWhole ? { kind: 'untranslatable', reason: 'event_stream' } : lost('cut_short')
}

function judgeInner(facts: ErrorFacts, endpoint: Endpoint, dialect: UpstreamDialect): Finding {
  const saidStatus = impliedStatus(facts, endpoint)
  return { ...judgeFacts(facts, saidStatus, dialect), saidStatus }
}

/** `told`: for a translated answer, the provider's own finish reason, or null without one. */
type Judge = (body: JsonObject, told: string | null | undefined) => Finding

const judges: Readonly<Record<Endpoint, Judge>> = {
  '/v1/chat/completions': judgeChat,
  '/v1/messages': judgeMessage,
  '/v1/embeddings': judgeEmbeddings,
  '/v1/responses': judgeResponse,
  '/v1/completions': judgeCompletion,
}

/**
 * A known finish reason decides: after `stop` an empty answer may be right, and another call would bill the
 * caller for the same. After an unknown one, or none, the answer must hold something usable.
 */
function judgeEnd(word: string | null, isUsable: boolean): Finding {
  const meaning = meaningOf(word)
  if (meaning !== undefined && meaning !== 'ok') return { kind: meaning, reason: word! }
  const needsContent = meaning === undefined || promisesCalls(word)
  return isUsable || !needsContent ? ok(word) : spoiled(meaning === undefined ? word : null)
}

function judgeChat({ choices }: JsonObject, told: string | null | undefined): Finding {
  if (!Array.isArray(choices)) return lost('unusable')
  const choice = firstRecord(choices)
  const word = finishWord(told === undefined ? choice?.finish_reason : told)
  const message = asRecord(choice?.message)
  if (message === null) return meaningOf(word) === 'ok' ? spoiled(null) : judgeEnd(word, false)
  if (isFilledText(message.refusal)) return refused('refusal')
  return judgeEnd(word, holdsAnswer(message))
}

/** Reasoning alone is an answer, too: some models put all their text there. */
export function holdsAnswer(message: JsonObject): boolean {
  const { content, tool_calls, function_call, audio, images, reasoning_content, reasoning } = message
  if ([content, reasoning_content, reasoning].some(isFilledText)) return true
  if ([content, tool_calls, images].some(isFilledArray)) return true
  return asRecord(function_call) !== null || asRecord(audio) !== null
}

function judgeCompletion({ choices }: JsonObject): Finding {
  if (!Array.isArray(choices)) return lost('unusable')
  const choice = firstRecord(choices)
  const word = finishWord(choice?.finish_reason)
  if (choice?.text === undefined && meaningOf(word) === 'ok') return spoiled(null)
  return judgeEnd(word, isFilledText(choice?.text))
}

function judgeMessage({ content, stop_reason }: JsonObject, told: string | null | undefined): Finding {
  const word = finishWord(told === undefined ? stop_reason : told)
  if (meaningOf(word) === 'refused') return refused(word!)
  if (!Array.isArray(content)) return lost('unusable')
  return judgeEnd(word, content.length > 0)
}

function judgeEmbeddings({ data }: JsonObject): Finding {
  if (!Array.isArray(data)) return lost('unusable')
  const embedding = firstRecord(data)?.embedding
  return isFilledArray(embedding) || isFilledText(embedding) ? ok(null) : spoiled(null)
}

function judgeResponse(
  { status, output, incomplete_details }: JsonObject,
  told: string | null | undefined,
): Finding {
  if (told !== undefined) return judgeEnd(finishWord(told), isFilledArray(output))
  const state = asCode(status)
  if (state === 'incomplete') {
    const reason = asCode(asRecord(incomplete_details)?.reason) ?? state
    return reason === 'content_filter' ? refused(reason) : ok(reason)
  }
  if (state === 'failed' || state === 'cancelled') return lost(state)
  // The answer is made and paid for there, and cannot be fetched from here: its id is all there is to give.
  if (state === 'queued' || state === 'in_progress') return { kind: 'untranslatable', reason: state }
  if (!Array.isArray(output)) return state === 'completed' ? spoiled(null) : lost(state ?? 'unusable')
  if (output.some(holdsRefusal)) return refused('refusal')
  // Absent in some compatible servers.
  return state === 'completed' || output.length > 0 ? ok(state) : spoiled(state)
}

function holdsRefusal(item: unknown): boolean {
  const content = asRecord(item)?.content
  return Array.isArray(content) && content.some(part => asRecord(part)?.type === 'refusal')
}
