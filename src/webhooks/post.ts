import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
import { forbiddenAddressCode } from './guarded-connect.ts'

/** Why an attempt ended without an answer. */
export type TransportFailure =
  | 'dns' // the name did not resolve
  | 'connect' // refused or unreachable
  | 'tls'
  | 'reset' // the connection ended, or stopped being HTTP, before an answer came
  | 'forbidden_address'
  | 'aborted' // we ended it

/** Node, OpenSSL and undici name their errors by `code`; the first match wins. */
const reasonsByCode: readonly (readonly [RegExp, TransportFailure])[] = [
  [new RegExp(`^${forbiddenAddressCode}$`), 'forbidden_address'],
  [/^UND_ERR_(DESTROYED|CLOSED|ABORTED)$/, 'aborted'],
  [/^(ENOTFOUND|ENODATA|ESERVFAIL|EAI_\w+)$/, 'dns'],
  [/CERT|^UNABLE_TO_|^HOSTNAME_MISMATCH$|^ERR_(TLS|SSL)_|^EPROTO$/, 'tls'],
  [
    /^(ECONNREFUSED|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|EADDRNOTAVAIL|ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT|ERR_PROXY_REFUSED)$/,
    'connect',
  ],
]

export const transportFailure = (error: unknown): TransportFailure => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return reasonsByCode.find(([pattern]) => pattern.test(code))?.[1] ?? 'reset'
}

/** How a request went: the status and headers of its answer, or why there is none. */
export type PostAnswer =
  | { readonly status: number; readonly headers: IncomingHttpHeaders }
  | { readonly status: null; readonly cause: 'timeout' | 'aborted' }
  | { readonly status: null; readonly cause: 'failed'; readonly error: Error }

export interface PostOptions {
  /** The longest it may take until the headers of the answer are there. */
  readonly timeoutMs: number
  /** Ends it early. */
  readonly signal: AbortSignal
}

/** The answer's body is read only so that its connection can be used again: not far, and not for long. */
const maxAnswerBytes = 4_096
const maxAnswerMs = 1_000

/**
 * Makes one request through the low-level interface of undici: a stream for a body that is not read, and
 * signals for an end that seldom comes, were a third of what a delivery cost. Never rejects. Resolves when
 * the answer's body has ended or is cut off with the connection; either is fine.
 */
export const post = (
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  { timeoutMs, signal }: PostOptions,
): Promise<PostAnswer> =>
  new Promise(resolve => {
    let controller: Dispatcher.DispatchController | null = null
    let answer: PostAnswer | null = null
    let hasEnded = false
    let received = 0

    const end = (how: PostAnswer): void => {
      if (hasEnded) return
      hasEnded = true
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
      resolve(answer ?? how)
    }
    /** Resolving and connecting, which nothing can end, are not waited for: `onRequestStart` then ends the request. */
    const cut = (how: PostAnswer): void => {
      end(how)
      controller?.abort(new Error('cut off'))
    }
    const late = (): void => cut({ status: null, cause: 'timeout' })
    const stop = (): void => cut({ status: null, cause: 'aborted' })
    let timer = setTimeout(late, timeoutMs)

    signal.addEventListener('abort', stop)
    if (signal.aborted) return stop()
    dispatcher.dispatch(request, {
      onRequestStart: started => {
        controller = started
        if (hasEnded) started.abort(new Error('cut off'))
      },
      onResponseStart: (_, status, headers) => {
        if (hasEnded || status < 200) return
        answer = { status, headers }
        clearTimeout(timer)
        timer = setTimeout(late, maxAnswerMs)
      },
      onResponseData: (_, chunk) => {
        received += chunk.length
        if (received > maxAnswerBytes) late()
      },
      onResponseEnd: () => end(answer!),
      onResponseError: (_, error) => end({ status: null, cause: 'failed', error }),
    })
  })
