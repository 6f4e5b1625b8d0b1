import type { Dialect } from '../domain/endpoint.ts'
import { anthropicError, anthropicThrottleMessage } from './anthropic-errors.ts'
import type { ErrorKind } from './behaviour.ts'
import { htmlReply, jsonReply, type Reply } from './deliver.ts'
import { openAiError, openAiThrottleError } from './openai-errors.ts'
import { rateLimitHeaders, retryAfterHeaders } from './rate-limit-headers.ts'
import type { Denial, RateLimits } from './throttle.ts'

/** The format of an error, and what it may mention. */
export interface ErrorContext {
  readonly dialect: Dialect
  readonly requestId: string
  readonly model: string
}

export const requestIdHeader = { openai: 'x-request-id', anthropic: 'request-id' } as const

interface ErrorTold {
  readonly status: number
  readonly error: unknown
}

/** Puts an error into its format's envelope. */
function enveloped(
  context: ErrorContext,
  { status, error }: ErrorTold,
  headers: Record<string, string> = {},
) {
  const { dialect, requestId } = context
  const body = dialect === 'openai' ? { error } : { type: 'error', error, request_id: requestId }
  return jsonReply(status, { [requestIdHeader[dialect]]: requestId, ...headers }, body)
}

/** The answer to a call that the provider throttles. */
export function throttleReply(
  context: ErrorContext,
  { limits, denial }: { limits: RateLimits; denial: Denial },
  nowMs: number,
): Reply {
  const error =
    context.dialect === 'openai'
      ? openAiThrottleError(context.model, limits, denial)
      : { type: 'rate_limit_error', message: anthropicThrottleMessage(limits, denial) }
  const headers = { ...retryAfterHeaders(denial), ...rateLimitHeaders(context.dialect, limits, nowMs) }
  return enveloped(context, { status: 429, error }, headers)
}

export function errorReply(context: ErrorContext, kind: Exclude<ErrorKind, 'throttle'>): Reply {
  if (kind === 'error-502-html') return htmlReply(502, 'Bad Gateway')
  if (kind === 'html-error') return htmlReply(403, 'Forbidden')
  return enveloped(
    context,
    context.dialect === 'openai' ? openAiError(kind, context.model) : anthropicError(kind, context.model),
  )
}

/** A fault of the caller that is no part of a script: the message says which. */
export function badRequestReply(context: ErrorContext, message: string): Reply {
  const error =
    context.dialect === 'openai'
      ? { message, type: 'invalid_request_error', param: null, code: null }
      : { type: 'invalid_request_error', message }
  return enveloped(context, { status: 400, error })
}

export function unknownPathReply(context: ErrorContext, method: string, path: string): Reply {
  const error =
    context.dialect === 'openai'
      ? { message: `Invalid URL (${method} ${path})`, type: 'invalid_request_error', param: null, code: null }
      : { type: 'not_found_error', message: 'Not found' }
  return enveloped(context, { status: 404, error })
}
