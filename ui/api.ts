import type { SessionView } from '../src/api/operator/views.ts'

/** What an answer that is no 2xx says. */
export class ApiError extends Error {
  readonly code: string
  readonly status: number
  readonly requestId: string | null
  constructor(status: number, code: string, message: string, requestId: string | null) {
    super(message)
    this.status = status
    this.code = code
    this.requestId = requestId
  }
}

interface ErrorBody {
  readonly error?: { readonly code?: string; readonly message?: string }
}

/** Of an answer that is no 2xx; status 0 where there was none. */
export const apiErrorOf = (status: number, body: unknown, requestId: string | null): ApiError => {
  if (status === 0) return new ApiError(0, 'unreachable', 'The server does not answer.', null)
  const { error } = (body ?? {}) as ErrorBody
  return new ApiError(
    status,
    error?.code ?? 'unknown',
    error?.message ?? `The server answered ${status}.`,
    requestId,
  )
}

/** Asks the API as this browser. Throws an `ApiError`; status 0 where there was no answer. */
export const ask = async <View>(
  method: string,
  path: string,
  body?: object,
  headers: Readonly<Record<string, string>> = {},
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
  throw apiErrorOf(answer.status, json, answer.headers.get('x-request-id'))
}

export const get = <View>(path: string): Promise<View> => ask('GET', path)
export const post = <View>(path: string, body: object = {}): Promise<View> => ask('POST', path, body)

export const readSession = (): Promise<SessionView> => get('/ui/session')
