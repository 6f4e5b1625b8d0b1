import type { ApiErrorCode } from './api-types.ts'

/** What the client itself finds wrong. */
export type ClientErrorCode =
  /** No answer came for as long as the client has patience; `cause` says what happened last. */
  | 'no_answer'
  /** What answered is not Baton's API, as where `baseUrl` leads to something else. */
  | 'unexpected_answer'
  /** A batch was refused as a whole; `batch.errors` names the lines. */
  | 'batch_failed'
  /** A run of this name was begun with other requests. */
  | 'run_changed'

interface ClientErrorOptions {
  readonly status?: number | null
  readonly param?: string | null
  readonly requestId?: string | null
  readonly retryAfterMs?: number | null
  readonly cause?: unknown
}

/** The one error that calls of the client throw, beside the reason of an aborted signal. */
export class BatonError extends Error {
  /** Of the API, of the client, or of the provider whose error it is. */
  readonly code: ApiErrorCode | ClientErrorCode | (string & {})
  /** Of the answer; null where there was none, or the error came within a stream. */
  readonly status: number | null
  /** What of the request is at fault. */
  readonly param: string | null
  /** Finds it in the server's log. */
  readonly requestId: string | null
  /** How long the server asks to wait. */
  readonly retryAfterMs: number | null

  constructor(code: BatonError['code'], message: string, options: ClientErrorOptions = {}) {
    super(message, { cause: options.cause })
    this.name = 'BatonError'
    this.code = code
    this.status = options.status ?? null
    this.param = options.param ?? null
    this.requestId = options.requestId ?? null
    this.retryAfterMs = options.retryAfterMs ?? null
  }
}

interface ErrorBody {
  readonly error?: {
    readonly message?: unknown
    readonly code?: unknown
    readonly type?: unknown
    readonly param?: unknown
    readonly details?: { readonly error_code?: unknown }
  }
}

const textOr = <T>(value: unknown, other: T): string | T => (typeof value === 'string' ? value : other)

/** Code and message of an error as the API writes it, in OpenAI's shape or in Anthropic's; null for anything else. */
export const errorIn = (value: unknown) => {
  const { error } = (value ?? {}) as ErrorBody
  if (typeof error?.message !== 'string') return null
  const code = textOr(error.code, null) ?? textOr(error.details?.error_code, null) ?? textOr(error.type, '')
  return { code, message: error.message, param: textOr(error.param, null) }
}

/** `Retry-After` in seconds, or as the date that proxies may give. */
const waitMsOf = (header: string | null): number | null => {
  if (header === null) return null
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now()
  return Number.isNaN(ms) ? null : Math.max(0, ms)
}

const toldByHeaders = ({ status, headers }: Response) => ({
  status,
  requestId: headers.get('x-request-id'),
  retryAfterMs: waitMsOf(headers.get('retry-after')),
})

/** Of an answer that the API does not give. */
export const unexpected = (response: Response): BatonError =>
  new BatonError(
    'unexpected_answer',
    `What answers is not Baton's API: status ${response.status}`,
    toldByHeaders(response),
  )

/** The error that an answer with a status of no success brings. */
export const errorOf = async (response: Response): Promise<BatonError> => {
  const told = errorIn(parsed(await response.text().catch(() => '')))
  return told === null
    ? unexpected(response)
    : new BatonError(told.code, told.message, { ...toldByHeaders(response), param: told.param })
}

/** Null for what is not JSON. */
export const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
