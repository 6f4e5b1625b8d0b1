import { setTimeout as delay } from 'node:timers/promises'
import { Agent, fetch } from 'undici'

export interface Answer {
  readonly status: number
  readonly text: string
}

export interface Request {
  readonly method?: string
  /** JSON, or a form. */
  readonly body?: object | Blob
  readonly headers?: Readonly<Record<string, string>>
}

/** The API as a client far away sees it: at times it does not answer. */
export interface Api {
  /** One try; null when no whole answer came. */
  try(path: string, request?: Request): Promise<Answer | null>
  /**
   * The answer, asked for again and again, as a good client does, while none comes or the server says that it is its own
   * trouble. Rejects when the run is over.
   */
  ask(path: string, request?: Request): Promise<Answer>
  /** When answers came, in Unix ms. */
  readonly answeredAtMs: readonly number[]
  close(): Promise<void>
}

/** An API that is stopped in its tracks takes connections, and answers nothing. */
const patienceMs = 5_000
const pauseMs = 250

export const createApi = (url: string, signal: AbortSignal): Api => {
  const dispatcher = new Agent({ connections: 64 })
  const answeredAtMs: number[] = []

  const once: Api['try'] = async (path, { method = 'GET', body, headers = {} } = {}) => {
    const isBlob = body instanceof Blob
    try {
      const response = await fetch(url + path, {
        dispatcher,
        method,
        headers: { ...headers, ...(body && !isBlob && { 'content-type': 'application/json' }) },
        signal: AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]),
        ...(body && { body: isBlob ? body : JSON.stringify(body) }),
      })
      const text = await response.text()
      answeredAtMs.push(Date.now())
      return { status: response.status, text }
    } catch {
      signal.throwIfAborted()
      return null
    }
  }

  const ask: Api['ask'] = async (path, request) => {
    for (;;) {
      const answer = await once(path, request)
      if (answer !== null && answer.status < 500) return answer
      await delay(pauseMs, undefined, { signal })
    }
  }

  return { try: once, ask, answeredAtMs, close: () => dispatcher.destroy() }
}

/** The answer's body; throws with its text when it is not of that status. */
export const bodyOf = <T>(answer: Answer, status = 200): T => {
  if (answer.status !== status) throw new Error(`answered ${answer.status}: ${answer.text.slice(0, 300)}`)
  return JSON.parse(answer.text) as T
}
