import { isJsonObject } from '../../json/json-object.ts'
import type { Dialect } from '../endpoint.ts'
import type { LastError } from '../job.ts'

/** An error as a client sees it. */
export interface ErrorAnswer {
  readonly status: number
  readonly code: string
  readonly message: string
  readonly param: string | null
  /** Which provider's failure it came from. */
  readonly lastError?: LastError | undefined
}

const anthropicTypes: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  409: 'conflict_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
  529: 'overloaded_error',
}

/** The `error.type` of a status, as either API names it. */
export const errorTypeOf = (dialect: Dialect, status: number): string => {
  if (dialect === 'anthropic') {
    return anthropicTypes[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error')
  }
  if (status === 401) return 'authentication_error'
  return status < 500 ? 'invalid_request_error' : 'server_error'
}

/** The error's JSON body. From 500 it also names the request, so that its line in the log can be found. */
export const errorBody = (dialect: Dialect, answer: ErrorAnswer, requestId: string): object => {
  const { status, code, message, param, lastError } = answer
  const type = errorTypeOf(dialect, status)
  const last = lastError && { last_error: lastError }
  if (dialect === 'anthropic') {
    return {
      type: 'error',
      error: { type, message, details: { error_code: code, ...last } },
      request_id: requestId,
    }
  }
  const error = { message, type, param, code, ...last }
  return status < 500 ? { error } : { error, request_id: requestId }
}

/** Whether clients of this API find the message in a provider's error. */
export const isErrorOf = (dialect: Dialect, json: unknown): boolean => {
  if (!isJsonObject(json) || !isJsonObject(json.error) || typeof json.error.message !== 'string') return false
  const isAnthropic = json.type === 'error'
  return dialect === 'openai' ? !isAnthropic : isAnthropic && typeof json.error.type === 'string'
}

/** The same of its text. Never throws. */
export const isErrorTextOf = (dialect: Dialect, text: string): boolean => {
  try {
    return isErrorOf(dialect, JSON.parse(text))
  } catch {
    return false
  }
}
