import { setTimeout as delay } from 'node:timers/promises'
import type { ApiAddress } from './api-address.ts'
import { CommandError } from './command-io.ts'
import { sendBlob } from './send-blob.ts'

/** The API said no: the same request again would get the same answer. */
export class ApiRefusal extends CommandError {
  readonly status: number

  constructor(message: string, status: number) {
    super(message)
    this.status = status
  }
}

/** No answer, or one that says to come again: what was asked may have been done or not. */
export class ApiUnavailable extends CommandError {}

export interface Call {
  /** Sent as JSON; a Blob as it is, with its own type. */
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
  /** Gets the bytes of each piece of a Blob that is sent. */
  readonly onSent?: (bytes: number) => void
}

export interface ApiClient {
  readonly url: string
  /** The API's time when it last answered, to the second; this machine's before that. Unix ms. */
  nowMs(): number
  /** Throws ApiRefusal or ApiUnavailable; the signal's reason when it is aborted. */
  send(method: string, path: string, call?: Call): Promise<Response>
  /** The same, for an answer in JSON. */
  ask(method: string, path: string, call?: Call): Promise<unknown>
  /** The same as it is written. */
  askText(method: string, path: string, call?: Call): Promise<string>
}

export const createApiClient = ({ url, key }: ApiAddress, signal: AbortSignal): ApiClient => {
  let toldMs = Number.NaN
  const send: ApiClient['send'] = async (method, path, { body, headers: more, onSent } = {}) => {
    const headers = { ...(key && { authorization: `Bearer ${key}` }), ...more }
    const asked =
      body instanceof Blob
        ? sendBlob(`${url}${path}`, { method, headers, body, signal, onSent })
        : fetch(`${url}${path}`, {
            ...{ method, signal },
            // A redirect would turn a POST into a GET, and could take the key elsewhere.
            redirect: 'manual',
            headers: { ...(body && { 'content-type': 'application/json' }), ...headers },
            ...(body && { body: JSON.stringify(body) }),
          })
    const response = await asked.catch(error => {
      throw signal.aborted ? signal.reason : noAnswer(url, error as Error)
    })
    toldMs = Date.parse(response.headers.get('date') ?? '')
    if (response.ok) return response
    throw await refusalOf(url, key, response)
  }
  const read = async (method: string, path: string, call?: Call) => {
    const response = await send(method, path, call)
    const text = await response.text().catch(error => {
      throw signal.aborted ? signal.reason : noAnswer(url, error as Error)
    })
    const value = parse(text)
    if (value === null) throw notBaton(url, response.status)
    return { text, value }
  }
  return {
    url,
    nowMs: () => toldMs || Date.now(),
    send,
    ask: async (...asked) => (await read(...asked)).value,
    askText: async (...asked) => (await read(...asked)).text,
  }
}

const pausesMs = [500, 1_000, 2_000, 4_000]

/** Asks again while the API is away; only for what may be asked twice. */
export const withPatience = async <T>(signal: AbortSignal, ask: () => Promise<T>): Promise<T> => {
  for (const pauseMs of pausesMs) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof ApiUnavailable)) throw error
    }
    await delay(pauseMs, undefined, { signal })
  }
  return ask()
}

const noAnswer = (url: string, error: Error): ApiUnavailable => {
  // Those of fetch have what went wrong as their cause.
  const { code, message } = (error.cause ?? error) as Error & { readonly code?: string }
  const why = code ?? message
  return new ApiUnavailable(
    `no answer from the API at ${url} (${why}): start it with \`npx baton serve\`, or name another with --url or BATON_URL`,
    { cause: error },
  )
}

const notBaton = (url: string, status: number): ApiRefusal =>
  new ApiRefusal(`what answers at ${url} is not Baton's API (status ${status}): check --url`, status)

interface ErrorBody {
  readonly error?: { readonly message?: unknown; readonly code?: unknown }
}

const refusalOf = async (url: string, key: string | null, response: Response): Promise<CommandError> => {
  const { status } = response
  if (status >= 300 && status < 400) {
    return new ApiRefusal(`${url} leads to ${response.headers.get('location')}: use that with --url`, status)
  }
  const { error } = (parse(await response.text().catch(() => '')) ?? {}) as ErrorBody
  const code = typeof error?.code === 'string' ? ` (${error.code})` : ''
  if (status >= 500 || status === 429) {
    return new ApiUnavailable(`the API at ${url} cannot serve now: status ${status}${code}`)
  }
  if (typeof error?.message !== 'string') return notBaton(url, status)
  if (status === 401) {
    const fault = key === null ? 'wants a key' : 'does not take this key'
    return new ApiRefusal(`the API at ${url} ${fault}: set BATON_API_KEY, or use --api-key`, status)
  }
  const advice =
    error.code === 'permission_denied' ? ' Set BATON_API_KEY to such a key, or use --api-key' : ''
  return new ApiRefusal(`${error.message}${code}${advice}`, status)
}

const parse = (text: string): object | null => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' ? value : null
  } catch {
    return null
  }
}
