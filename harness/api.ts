import { setTimeout as delay } from 'node:timers/promises'
import { Agent, FormData, fetch } from 'undici'

export interface Answer {
  readonly status: number
  readonly text: string
}

export interface Request {
  readonly method?: string
  /** Goes as JSON, unless it is a form or a Blob. */
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
}

/** Baton's API as a client sees it. Every method rejects with the reason of `signal` when that is aborted. */
export interface Api {
  /** One request; throws when no whole answer comes. */
  send(path: string, request?: Request): Promise<Answer>
  /** One request; null when no whole answer comes. */
  try(path: string, request?: Request): Promise<Answer | null>
  /** Asks until an answer comes that is no trouble of the server's own, as a good client does. */
  ask(path: string, request?: Request): Promise<Answer>
  /** When answers came, in Unix ms. */
  readonly answeredAtMs: readonly number[]
  close(): Promise<void>
}

export interface ApiOptions {
  /** How many requests are under way at most. */
  readonly connections?: number
  /** What a whole answer may take. An API that is stopped in its tracks takes connections, and answers nothing. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/** Between two tries of `ask`. */
const pauseMs = 250

/** A function is asked for the URL before each request: an API that was started again listens elsewhere. */
export const createApi = (url: string | (() => string), options: ApiOptions = {}): Api => {
  const { connections = 64, timeoutMs = 60_000, signal } = options
  const dispatcher = new Agent({ connections })
  const urlOf = typeof url === 'string' ? () => url : url
  const answeredAtMs: number[] = []

  const send: Api['send'] = async (path, { method = 'GET', body, headers = {} } = {}) => {
    const isJson = body !== undefined && !(body instanceof FormData) && !(body instanceof Blob)
    const timeout = AbortSignal.timeout(timeoutMs)
    const response = await fetch(urlOf() + path, {
      dispatcher,
      method,
      headers: { ...headers, ...(isJson && { 'content-type': 'application/json' }) },
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      ...(body && { body: isJson ? JSON.stringify(body) : (body as FormData | Blob) }),
    })
    const text = await response.text()
    answeredAtMs.push(Date.now())
    return { status: response.status, text }
  }

  const tryOnce: Api['try'] = async (path, request) => {
    try {
      return await send(path, request)
    } catch {
      signal?.throwIfAborted()
      return null
    }
  }

  const ask: Api['ask'] = async (path, request) => {
    for (;;) {
      const answer = await tryOnce(path, request)
      if (answer !== null && answer.status < 500) return answer
      await delay(pauseMs, undefined, { signal })
    }
  }

  return { send, try: tryOnce, ask, answeredAtMs, close: () => dispatcher.destroy() }
}

/** The answer's text; throws with it when it is not of that status. */
export const textOf = (answer: Answer, status = 200): string => {
  if (answer.status !== status) throw new Error(`answered ${answer.status}: ${answer.text.slice(0, 300)}`)
  return answer.text
}

/** The answer's body; throws with its text when it is not of that status. */
export const bodyOf = <T>(answer: Answer, status = 200): T => JSON.parse(textOf(answer, status)) as T
