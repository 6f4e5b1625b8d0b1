import type { JsonObject } from '../../json/json-object.ts'
import { asCode, asRecord, firstRecord, isFilledText } from './json-shape.ts'

/** What an error body says, whichever dialect it is in. */
export interface ErrorFacts {
  /** Codes and types, the most specific first. Sanitised; never HTTP statuses. */
  readonly names: readonly string[]
  /** The start of the message in lower case. For matching only: it may quote the prompt. */
  readonly message: string
  /** The HTTP status that the body itself names, as OpenRouter and vLLM do in `code`. */
  readonly status: number | null
  /** Milliseconds that the body itself asks to be left alone, as Google's does. */
  readonly retryAfterMs?: number
}

/** Every known wording comes at the start; a body that echoes megabytes must not cost a scan of them. */
const messageLimit = 1_000

/** Half a page of a provider's error, and no prompt that it echoes. */
const longestRelayed = 20_000

/**
 * Reads the shapes in use: `{error: {…}}` (OpenAI, Anthropic), `{error: "text"}` (Ollama, xAI) and the bare
 * `{object: "error", …}` (older vLLM, Mistral). Null when no API wrote this: a proxy's or a router's own JSON
 * (`{"detail": "Not Found"}`) is deliberately not an error body.
 */
export function errorFacts(json: unknown): ErrorFacts | null {
  const body = asRecord(json)
  if (body === null) return null
  if (isFilledText(body.error)) {
    // OAuth (RFC 6749, 5.2): the code is in `error`.
    return isFilledText(body.error_description)
      ? factsOf({ message: body.error_description, code: body.error })
      : factsOf({ message: body.error, code: body.code })
  }
  const error = asRecord(body.error) ?? (body.object === 'error' ? body : null)
  if (error !== null) return relayed(error) ?? factsOf(error)
  // FastAPI's own validation, which many servers of open models leave to it.
  const fault = firstRecord(body.detail)
  return fault === null || !isFilledText(fault.msg) ? null : factsOf({ code: fault.type, message: fault.msg })
}

/** OpenRouter wraps a provider's error in one that says no more than "Provider returned error". */
function relayed({ metadata, code }: JsonObject): ErrorFacts | null {
  const raw = asRecord(metadata)?.raw
  if (typeof raw !== 'string' || raw.length > longestRelayed) return null
  try {
    const inner = errorFacts(JSON.parse(raw))
    return inner && { ...inner, status: inner.status ?? httpErrorStatus(code) }
  } catch {
    return null
  }
}

/** Null when the error says nothing. */
export function factsOf(error: JsonObject): ErrorFacts | null {
  // Azure's inner error says what a `BadRequest` means.
  const names = [
    asRecord(error.details)?.error_code,
    error.code,
    asRecord(error.innererror)?.code,
    error.type,
  ]
    .map(asCode)
    .filter(name => name !== null)
    .filter(name => !/^\d+$/.test(name))
  const message = typeof error.message === 'string' ? startOf(error.message) : ''
  const status = httpErrorStatus(error.code)
  return names.length === 0 && message === '' && status === null ? null : { names, message, status }
}

/** The start of a message, as wordings are matched against. */
export const startOf = (message: string): string => message.slice(0, messageLimit).trim().toLowerCase()

function httpErrorStatus(code: unknown): number | null {
  const status = typeof code === 'string' && /^\d{3}$/.test(code) ? Number(code) : code
  return typeof status === 'number' && status >= 400 && status <= 599 ? status : null
}
