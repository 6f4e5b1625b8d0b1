import type { SessionView } from '../src/api/operator/views.ts'

/** What an answer that is no 2xx says. */
export class ApiError extends Error {
  readonly code: string
  readonly status: number
  readonly requestId: string | null
  /** When to ask again, where the server said so and means soon: Redis fails over, say. */
  readonly retryAfterMs: number | null
  constructor(status: number, code: string, message: string, answer: AnswerHeaders | null) {
    super(message)
    this.status = status
    this.code = code
    this.requestId = answer?.('x-request-id') ?? null
    const seconds = Number(answer?.('retry-after') ?? Number.NaN)
    this.retryAfterMs = status === 503 && seconds >= 0 ? Math.max(1, seconds) * 1_000 : null
  }
  /** Whether the same request may well be answered later, without anybody changing anything. */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500
  }
}

/** The value of a header of an answer, null where it has none. */
type AnswerHeaders = (name: string) => string | null

interface ErrorBody {
  readonly error?: { readonly code?: string; readonly message?: string }
}

/** Of an answer that is no 2xx; status 0 where there was none. */
export const apiErrorOf = (status: number, body: unknown, headers: AnswerHeaders | null): ApiError => {
  if (status === 0) return new ApiError(0, 'unreachable', 'The server does not answer.', null)
  const { error } = (body ?? {}) as ErrorBody
  return new ApiError(
    status,
    error?.code ?? 'unknown',
    error?.message ?? `The server answered ${status}.`,
    headers,
  )
}

export const asApiError = (error: unknown): ApiError =>
  error instanceof ApiError ? error : new ApiError(0, 'unknown', String(error), null)

/** A fail-over of Redis takes some seconds: within this time nobody need read of it, or press a button again. */
const patienceMs = 10_000

/**
 * Sends again what is answered 503, when the server says. What it did although it said so (Redis carried out what it had no
 * time to answer) is done once more: every action of the page may be, or has a key that makes it one.
 */
export const patiently = async <Result>(send: () => Promise<Result>): Promise<Result> => {
  const until = Date.now() + patienceMs
  for (;;) {
    try {
      return await send()
    } catch (error) {
      const pauseMs = error instanceof ApiError ? error.retryAfterMs : null
      if (pauseMs === null || Date.now() + pauseMs > until) throw error
      await new Promise(resolve => setTimeout(resolve, pauseMs))
    }
  }
}

/** Asks the API as this browser. Throws an `ApiError`; status 0 where there was no answer. */
export const ask = <View>(
  method: string,
  path: string,
  body?: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<View> => patiently(() => askOnce<View>(method, path, body, headers))

const askOnce = async <View>(
  method: string,
  path: string,
  body: object | undefined,
  headers: Readonly<Record<string, string>>,
): Promise<View> => {
  const answer = await fetch(path, {
    method,
    headers: {
      ...headers,
      ...(method !== 'GET' && { 'x-baton-ui': '1' }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  }).catch(() => {
    throw apiErrorOf(0, null, null)
  })
  if (answer.status === 204) return undefined as View
  const json: unknown = await answer.json().catch(() => ({}))
  if (answer.ok) return json as View
  throw apiErrorOf(answer.status, json, name => answer.headers.get(name))
}

/**
 * An `Idempotency-Key`: what is asked for twice by the same is made once. `crypto.randomUUID` is missing where a server without
 * keys is reached over plain HTTP.
 */
export const onceKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => byte.toString(16).padStart(2, '0')).join('')

export const get = <View>(path: string): Promise<View> => ask('GET', path)
export const post = <View>(path: string, body: object = {}): Promise<View> => ask('POST', path, body)

export const readSession = (): Promise<SessionView> => get('/ui/session')
