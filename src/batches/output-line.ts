import { errorBody } from '../domain/classify/error-shape.ts'
import type { Dialect } from '../domain/endpoint.ts'
import type { LastError } from '../domain/job.ts'
import { errorAnswerBody } from './error-answer.ts'

/** How a request of a batch ended. */
export type LineEnd =
  /** A provider's answer; `body` is JSON text or not. */
  | {
      readonly kind: 'answered'
      readonly statusCode: number
      readonly body: string
      readonly requestId: string
      /** What the provider was asked otherwise; absent where nothing was. */
      readonly adjusted?: readonly object[]
    }
  /**
   * No answer to show; `status` is that of our own refusal of the request, null when the request is not at fault.
   */
  | {
      readonly kind: 'failed'
      readonly code: string
      readonly message: string
      readonly param: string | null
      readonly status: number | null
      readonly lastError?: LastError | undefined
    }
  /** `why`: who failed it last, in a sentence. */
  | {
      readonly kind: 'expired'
      readonly lastError?: LastError | undefined
      readonly why?: string | undefined
    }
  | { readonly kind: 'cancelled' }

/** `file` says where the line belongs: 'output' for all of Anthropic's. `text` ends with its newline. */
export interface RenderedLine {
  readonly file: 'output' | 'error'
  readonly outcome: 'succeeded' | 'errored' | 'canceled' | 'expired'
  readonly text: string
}

type Outcome = RenderedLine['outcome']

/** What never ran, in OpenAI's words. */
const unexecuted = {
  expired: {
    code: 'batch_expired',
    message: 'This request could not be executed before the completion window expired.',
  },
  cancelled: {
    code: 'batch_cancelled',
    message: 'This request was not executed because the batch was cancelled.',
  },
} as const

/**
 * One line of a batch's output, error or results file. `id` is `batch_req_…`; Anthropic's lines have none. A
 * provider's body stands in it as it came, so that numbers are not changed and time is not spent.
 */
export const renderLine = (dialect: Dialect, id: string, customId: string, end: LineEnd): RenderedLine => {
  const { outcome, result } = (dialect === 'openai' ? openaiResult : anthropicResult)(end, id)
  const name = JSON.stringify(customId)
  const { adjusted = [] } = end.kind === 'answered' ? end : {}
  // Beside what the vendors' lines have, where their clients pass it over.
  const aside = adjusted.length > 0 ? `,"adjusted":${JSON.stringify(adjusted)}` : ''
  const text =
    dialect === 'openai'
      ? `{"id":"${id}","custom_id":${name},${result}${aside}}`
      : `{"custom_id":${name},"result":${result}${aside}}`
  const file = dialect === 'anthropic' || outcome === 'succeeded' ? 'output' : 'error'
  return { file, outcome, text: `${onOneLine(text)}\n` }
}

interface Result {
  readonly outcome: Outcome
  /** JSON text. */
  readonly result: string
}

const openaiResult = (end: LineEnd, id: string): Result => {
  const response = (status: number, requestId: string, body: string): string =>
    `"response":{"status_code":${status},"request_id":${JSON.stringify(requestId)},"body":${body}},"error":null`
  const noResponse = (error: object): string => `"response":null,"error":${JSON.stringify(error)}`
  switch (end.kind) {
    case 'answered': {
      const { ok, status, body } = answerOf('openai', end)
      return { outcome: ok ? 'succeeded' : 'errored', result: response(status, end.requestId, body) }
    }
    case 'failed': {
      const { status, code, message, lastError } = end
      if (status === null)
        return { outcome: 'errored', result: noResponse({ code, message, ...lastOf(lastError) }) }
      const body = JSON.stringify(errorBody('openai', { ...end, status }, id))
      return { outcome: 'errored', result: response(status, id, body) }
    }
    case 'expired':
      return { outcome: 'expired', result: noResponse(expiry(end)) }
    case 'cancelled':
      return { outcome: 'canceled', result: noResponse(unexecuted.cancelled) }
  }
}

const lastOf = (lastError: LastError | undefined) => (lastError ? { last_error: lastError } : {})

/** In OpenAI's words, and then why. */
const expiry = ({ lastError, why }: LineEnd & { kind: 'expired' }): object => {
  const { code, message } = unexecuted.expired
  return { code, message: why === undefined ? message : `${message} Last, ${why}`, ...lastOf(lastError) }
}

/** A failure that is not the request's fault: Anthropic's clients may send it again. */
const ownFailureStatus = 500

const anthropicResult = (end: LineEnd, id: string): Result => {
  const errored = (body: string): Result => ({
    outcome: 'errored',
    result: `{"type":"errored","error":${body}}`,
  })
  switch (end.kind) {
    case 'answered': {
      const { ok, body } = answerOf('anthropic', end)
      return ok ? { outcome: 'succeeded', result: `{"type":"succeeded","message":${body}}` } : errored(body)
    }
    case 'failed':
      return errored(
        JSON.stringify(errorBody('anthropic', { ...end, status: end.status ?? ownFailureStatus }, id)),
      )
    case 'expired':
      return { outcome: 'expired', result: JSON.stringify({ type: 'expired', ...lastOf(end.lastError) }) }
    case 'cancelled':
      return { outcome: 'canceled', result: '{"type":"canceled"}' }
  }
}

interface Answer {
  readonly ok: boolean
  readonly status: number
  readonly body: string
}

/**
 * A 2xx answer was found to be JSON when it was judged, so it is not parsed again; a look at its ends costs
 * nothing.
 */
const looksLikeJson = (body: string): boolean => /^\s*\{/.test(body) && /\}\s*$/.test(body.slice(-64))

const badGateway = 502

const answerOf = (
  dialect: Dialect,
  { statusCode, body, requestId }: LineEnd & { kind: 'answered' },
): Answer => {
  const is2xx = statusCode >= 200 && statusCode <= 299
  if (is2xx && looksLikeJson(body)) return { ok: true, status: statusCode, body }
  const status = is2xx ? badGateway : statusCode
  return { ok: false, status, body: errorAnswerBody(dialect, status, body, requestId) }
}

const breaksLines = /[\r\n\u0085\u2028\u2029]/

/**
 * The same JSON on one line. Newlines can only stand between its tokens, and go with their indentation. The other
 * three can only stand in strings, and are escaped: they are no newlines to JSON, but are to Python's
 * `splitlines`.
 */
const onOneLine = (json: string): string =>
  breaksLines.test(json)
    ? json
        .replace(/[\r\n]+[ \t]*/g, '')
        .replace(/[\u0085\u2028\u2029]/g, found => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`)
    : json
