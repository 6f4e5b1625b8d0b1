import type { ApiErrorCode } from './api-types.ts'
import { BatonError, errorOf, parsed, unexpected } from './client-error.ts'

export interface BatonOptions {
  /** `http://127.0.0.1:8000`; a `/v1` behind it, as other clients want it, is no matter. */
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
  /** Within what the answer is there, and `read`; 60,000 by default. */
  readonly answerWithinMs?: number
  /** The answer is read in the try that brought it: when it breaks off, the call is tried again. */
  read(response: Response): Promise<Answer>
}

export interface Transport {
  /**
   * Throws BatonError, the signal's reason when it is aborted, or TypeError for what cannot be sent at all. Tries again where nobody answered or the server says that it cannot
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

/** Where paths as `/v1/jobs` go behind. Throws TypeError for what is no address: no patience would make one of it. */
const originOf = (baseUrl: string): string => {
  // A page may name its own server by a path alone.
  const { location } = globalThis as { readonly location?: { readonly href: string } }
  const url = URL.canParse(baseUrl, location?.href) ? new URL(baseUrl, location?.href) : null
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new TypeError(`baseUrl is to be an address such as http://127.0.0.1:8000, and is ${baseUrl}`)
  return baseUrl.replace(/\/+$/, '').replace(/\/v1$/, '')
}

/** Throws TypeError for a `baseUrl` that is no address. */
export const createTransport = (options: BatonOptions): Transport => {
  const { baseUrl, apiKey, patienceMs = defaultPatienceMs } = options
  // Browsers' own takes no other `this`.
  const ask: typeof fetch = options.fetch ?? ((...words) => fetch(...words))
  const origin = originOf(baseUrl)

  /** Throws TypeError for values that JSON or a header cannot have. */
  const requestOf = (method: string, { json, form, headers }: Call<unknown>) => ({
    method,
    headers: new Headers({
      ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
      ...(json !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    }),
    // A redirect would turn a POST into a GET, and could take the key elsewhere.
    redirect: 'manual' as const,
    ...(json !== undefined && { body: JSON.stringify(json) }),
    ...(form && { body: form }),
  })

  const once = async <Answer>(path: string, request: RequestInit, call: Call<Answer>) => {
    const { signal } = call
    const late = new AbortController()
    const timer = setTimeout(
      () => late.abort(new Error('no answer in time')),
      call.answerWithinMs ?? answerWithinMs,
    )
    try {
      const response = await ask(`${origin}${path}`, {
        ...request,
        signal: signal ? AbortSignal.any([late.signal, signal]) : late.signal,
      })
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
      const request = requestOf(method, call)
      const startedAt = performance.now()
      for (let attempt = 0; ; attempt++) {
        // What the official clients say of a request that they repeat, by which the API tells it from a new one.
        if (attempt > 0) request.headers.set('x-stainless-retry-count', String(attempt))
        try {
          return await once(path, request, call)
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

/** Reads an answer that is an object of this kind. */
export const asJson =
  <Answer extends { readonly object: string }>(kind: Answer['object']) =>
  async (response: Response): Promise<Answer> => {
    const answer = parsed(await response.text()) as Answer | null
    if (answer?.object !== kind) throw unexpected(response)
    return answer
  }

/** A query without what is not set; a list as one text with commas between. */
export const queryOf = (values: Readonly<Record<string, unknown>>): string => {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(values))
    if (value !== undefined && value !== null) query.set(name, String(value))
  return query.size === 0 ? '' : `?${query}`
}
