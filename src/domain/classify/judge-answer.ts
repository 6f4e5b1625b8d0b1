import type { Endpoint, UpstreamDialect } from '../endpoint.ts'
import type { UpstreamAnswer } from '../upstream.ts'
import { type ErrorFacts, errorFacts } from './error-facts.ts'
import type { Finding } from './finding.ts'
import { asCode, asRecord, firstRecord, isFilledArray, isFilledText, type JsonRecord } from './json-shape.ts'
import { judgeFacts } from './judge-error.ts'

const ok = (finish: string | null): Finding => ({ kind: 'ok', reason: finish ?? 'ok' })
const refused = (reason: string): Finding => ({ kind: 'refused', reason })
const lost = (reason: string): Finding => ({ kind: 'transient', reason })

/** Judges a 2xx answer: errors in disguise first, then whether the body holds an answer in the endpoint's format. */
export function judgeAnswer(answer: UpstreamAnswer, endpoint: Endpoint, dialect: UpstreamDialect): Finding {
  const json = answer.json === undefined ? streamedError(answer.text) : answer.json
  if (json === undefined) return lost(answer.text.trim() === '' ? 'empty' : 'not_json')
  const body = asRecord(json)
  if (body === null) return lost('unusable')
  // OpenRouter reports a provider that failed midway in `choices[0].error`.
  const facts = errorFacts(body) ?? errorFacts(firstRecord(body.choices))
  if (facts !== null) return judgeFacts(facts, impliedStatus(facts, endpoint), dialect)
  return judges[endpoint](body)
}

/** The JSON of an `event: error` in a stream that nobody asked for; the partial answer before it is worthless. */
function streamedError(text: string): unknown {
  const data = /^event: ?error\r?\ndata: ?(.+)$/m.exec(text)?.[1]
  if (data === undefined) return undefined
  try {
    return JSON.parse(data)
  } catch {
    return undefined
  }
}

/** The status that an error inside a 2xx would have had. A failed response blames the request unless its code says otherwise. */
function impliedStatus({ status, names }: ErrorFacts, endpoint: Endpoint): number {
  if (status !== null) return status
  const blamesRequest =
    names.includes('invalid_request_error') || (endpoint === '/v1/responses' && names.length > 0)
  return blamesRequest ? 400 : 500
}

const judges: Readonly<Record<Endpoint, (body: JsonRecord) => Finding>> = {
  '/v1/chat/completions': judgeChat,
  '/v1/messages': judgeMessage,
  '/v1/embeddings': judgeEmbeddings,
  '/v1/responses': judgeResponse,
  '/v1/completions': judgeCompletion,
}

function judgeChat({ choices }: JsonRecord): Finding {
  const choice = firstRecord(choices)
  const message = asRecord(choice?.message)
  const finish = asCode(choice?.finish_reason)
  if (finish === 'content_filter') return refused(finish)
  if (message === null) return lost('empty')
  if (isFilledText(message.refusal)) return refused('refusal')
  return finish === 'length' || holdsAnswer(message) ? ok(finish) : lost('empty')
}

/**
 * `content: ""` is an answer: a model may rightly say nothing, and asking again would bill the caller for the same
 * silence until the attempts are used up. `content: null` with nothing beside it is the anomaly.
 */
function holdsAnswer({ content, tool_calls, function_call, audio }: JsonRecord): boolean {
  if (typeof content === 'string' || isFilledArray(content) || isFilledArray(tool_calls)) return true
  return asRecord(function_call) !== null || asRecord(audio) !== null
}

function judgeCompletion({ choices }: JsonRecord): Finding {
  const choice = firstRecord(choices)
  const finish = asCode(choice?.finish_reason)
  if (finish === 'content_filter') return refused(finish)
  return typeof choice?.text === 'string' ? ok(finish) : lost('empty')
}

function judgeMessage({ content, stop_reason }: JsonRecord): Finding {
  const stop = asCode(stop_reason)
  if (stop === 'refusal') return refused(stop)
  if (!Array.isArray(content)) return lost('unusable')
  const cutShort = stop === 'max_tokens' || stop === 'model_context_window_exceeded'
  return cutShort || content.length > 0 ? ok(stop) : lost('empty')
}

function judgeEmbeddings({ data }: JsonRecord): Finding {
  const embedding = firstRecord(data)?.embedding
  return isFilledArray(embedding) || isFilledText(embedding) ? ok(null) : lost('empty')
}

function judgeResponse({ status, output, incomplete_details }: JsonRecord): Finding {
  const state = asCode(status)
  if (state === 'incomplete') {
    const reason = asCode(asRecord(incomplete_details)?.reason) ?? state
    return reason === 'content_filter' ? refused(reason) : ok(reason)
  }
  // Absent in some compatible servers; `queued`, `in_progress`, `cancelled` and a bare `failed` hold no answer.
  if (state !== null && state !== 'completed') return lost(state)
  if (!isFilledArray(output)) return lost('empty')
  return output.some(holdsRefusal) ? refused('refusal') : ok(state)
}

function holdsRefusal(item: unknown): boolean {
  const content = asRecord(item)?.content
  return Array.isArray(content) && content.some(part => asRecord(part)?.type === 'refusal')
}
