import type { ApiErrorCode } from './api-types.ts'
import { BatonError, errorOf } from './client-error.ts'

export interface BatonOptions {
  /** `http://127.0.0.1:8000`, without `/v1`. */
  readonly baseUrl: string
  readonly apiKey?: string
  /** Another than that of the runtime, as where a proxy is to be used. */
  readonly fetch?: typeof fetch
  /** How long a call is tried again while nobody answers, or the answer is to come later; 60,000 by default. */
  readonly patienceMs?: number
}

export interface Call<Answer> {
  /** Goes as JSON. */
  readonly json?: unknown
  readonly form?: FormData
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
  /** For how long the server may be silent before it answers; 60,000 by default. */
  readonly answerWithinMs?: number
  /** The answer is read in the try that brought it: when it breaks off, the call is tried again. */
  read(response: Response): Promise<Answer>
}

export interface Transport {
  /**
   * Throws BatonError, or the signal's reason when it is aborted. Tries again where nobody answered or the server says that it cannot
   * serve now, so a call must be one that may be made twice: by its nature, or by its `Idempotency-Key`.
   */
  send<Answer>(method: string, path: string, call: Call<Answer>): Promise<Answer>
}

const defaultPatienceMs = 60_000
const answerWithinMs = 60_000

/** With these nothing was done, and it may be otherwise soon. A job's own failure comes with other codes. */
const passing: ReadonlySet<string> = new Set<ApiErrorCode | 'request_timeout'>([
  'redis_unavailable',
  'not_replicated',
  'storage_full',
  'storage_unavailable',
  'too_many_bytes',
  'too_many_waiting',
  'too_many_connections',
  'shutting_down',
  'request_timeout',
])

/** What proxies say while the server behind them is away. */
const awayStatuses = new Set([429, 502, 503, 504])

const mayPass = ({ code, status }: BatonError): boolean =>
  code === 'no_answer' || passing.has(code) || (code === 'unexpected_answer' && awayStatuses.has(status!))

/** Half to all of 0.25, 0.5, 1, 2, 4, 4 … seconds: clients that lost one server do not come back to it at once. */
const pauseMs = (attempt: number): number => Math.min(4_000, 250 * 2 ** attempt) * (0.5 + Math.random() / 2)

/** Rejects with the signal's reason when it is aborted. */
export const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const leave = (): void => {
      clearTimeout(timer)
      reject(signal!.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', leave)
      resolve()
    }, ms)
    signal?.addEventListener('abort', leave, { once: true })
  })

export const createTransport = (options: BatonOptions): Transport => {
  const { baseUrl, apiKey, patienceMs = defaultPatienceMs } = options
  // Browsers' own takes no other `this`.
  const ask: typeof fetch = options.fetch ?? ((...words) => fetch(...words))
  const origin = baseUrl.replace(/\/+$/, '')

  const once = async <Answer>(method: string, path: string, attempt: number, call: Call<Answer>) => {
    const { json, form, signal } = call
    const late = new AbortController()
    const timer = setTimeout(
      () => late.abort(new Error('no answer in time')),
      call.answerWithinMs ?? answerWithinMs,
    )
    const headers = {
      ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
      ...(json !== undefined && { 'content-type': 'application/json' }),
      // What the official clients say of a request that they repeat, by which the API tells it from a new one.
      ...(attempt > 0 && { 'x-stainless-retry-count': String(attempt) }),
      ...call.headers,
    }
    try {
      const response = await ask(`${origin}${path}`, {
        method,
        headers,
        // A redirect would turn a POST into a GET, and could take the key elsewhere.
        redirect: 'manual',
        signal: signal ? AbortSignal.any([late.signal, signal]) : late.signal,
        ...(json !== undefined && { body: JSON.stringify(json) }),
        ...(form && { body: form }),
      })
      // From here on the reader looks after its own time.
      clearTimeout(timer)
      if (!response.ok) throw await errorOf(response)
      return await call.read(response)
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      if (error instanceof BatonError) throw error
      throw new BatonError('no_answer', `No answer from ${origin}`, { cause: error })
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    send: async (method, path, call) => {
      const startedAt = performance.now()
      for (let attempt = 0; ; attempt++) {
        try {
          return await once(method, path, attempt, call)
        } catch (error) {
          if (!(error instanceof BatonError && mayPass(error))) throw error
          const waitMs = Math.max(pauseMs(attempt), error.retryAfterMs ?? 0)
          if (performance.now() - startedAt + waitMs > patienceMs) throw error
          await pause(waitMs, call.signal)
        }
      }
    },
  }
}

/** Reads an answer in JSON. */
export const asJson = async <Answer>(response: Response): Promise<Answer> => {
  const text = await response.text()
  try {
    return JSON.parse(text) as Answer
  } catch (cause) {
    const { status } = response
    throw new BatonError('unexpected_answer', `What answers is not Baton's API: status ${status}`, {
      status,
      cause,
    })
  }
}

/** A query without what is not set; a list as one text with commas between. */
export const queryOf = (values: Readonly<Record<string, unknown>>): string => {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(values))
    if (value !== undefined && value !== null) query.set(name, String(value))
  return query.size === 0 ? '' : `?${query}`
}
