import type { LookupFunction } from 'node:net'
import type { CallSignal } from '../domain/interrupt.ts'
import type { UpstreamOutcome } from '../domain/upstream.ts'
import { createTransport, type Transport } from './transport.ts'

/** Short-lived tokens in place of a key. */
export interface TokenSource {
  /**
   * The token, or what became of asking for one. Never throws, and settles at once when `signal` aborts. It is shared: a
   * call that gives up after `timeoutMs` leaves it to the others.
   */
  token(signal: CallSignal, timeoutMs: number): Promise<string | UpstreamOutcome>
  close(): Promise<void>
}

/** The key of a service account, as Google's console hands it out. */
export interface ServiceAccount {
  readonly client_email: string
  /** PEM. */
  readonly private_key: string
  readonly private_key_id?: string
  readonly token_uri?: string
}

/** For the token server: it answers within a second, with less than 4 KB. */
const limits = { timeoutMs: 30_000, connectTimeoutMs: 10_000, maxResponseBytes: 64 * 1024 }
const scope = 'https://www.googleapis.com/auth/cloud-platform'

const never: CallSignal = { aborted: false, reason: undefined, onabort: null }

/** The token server's word about the credentials: what is wrong with them is told as a 401, as the API would. */
const refusalOf = (outcome: UpstreamOutcome | null): UpstreamOutcome => {
  if (outcome === null) {
    const error = { code: 401, status: 'UNAUTHENTICATED', message: 'the credentials cannot be used to sign' }
    const json = { error }
    return { kind: 'answer', status: 401, headers: {}, text: JSON.stringify(json), json }
  }
  // The request itself was never sent, so nothing can be billed.
  if (outcome.kind === 'break') return { ...outcome, sent: false }
  if (outcome.status < 300) {
    const cause = new Error('the token server gave no token')
    return { kind: 'break', reason: 'protocol', sent: false, cause }
  }
  const aboutCredentials = outcome.status < 500 && outcome.status !== 429
  return aboutCredentials ? { ...outcome, status: 401 } : outcome
}

/** A header list as fetch takes it, plain. */
const plainHeaders = (init: RequestInit | undefined): Record<string, string> =>
  Object.fromEntries(new Headers(init?.headers))

interface Client {
  getAccessToken(): Promise<{ token?: string | null }>
}

/**
 * google-auth-library signs, caches and renews; it speaks through our transport, so that a dead token server ends a
 * call like a dead provider does, and asks where the account's key says (`token_uri`), which the library itself ignores.
 */
export const createGoogleTokens = (
  account: ServiceAccount,
  proxyOf: (address: URL) => URL | null,
  lookup?: LookupFunction,
): TokenSource => {
  const transports = new Map<string, Transport>()
  let client: Promise<Client> | null = null
  let last: UpstreamOutcome | null = null

  const post = async (address: URL | Request | string, init?: RequestInit): Promise<Response> => {
    const asked = new URL(address instanceof Request ? address.url : address)
    const own = asked.hostname === 'oauth2.googleapis.com' && account.token_uri
    const url = own ? new URL(own) : asked
    const transport =
      transports.get(url.origin) ?? createTransport({ baseUrl: url, proxy: proxyOf(url), lookup, ...limits })
    transports.set(url.origin, transport)
    const path = url.pathname + url.search
    last = await transport.post(path, plainHeaders(init), String(init?.body ?? ''), { ...never })
    if (last.kind === 'break') throw new Error('the token server did not answer')
    return new Response(last.text, { status: last.status, headers: { 'content-type': 'application/json' } })
  }

  const open = async (): Promise<Client> => {
    const { gaxios, JWT } = await import('google-auth-library')
    const transporter = new gaxios.Gaxios({ fetchImplementation: post as typeof fetch })
    const request = transporter.request.bind(transporter)
    // The job's own budget decides over another try.
    transporter.request = options => request({ ...options, retry: false, retryConfig: { retry: 0 } })
    const { client_email: email, private_key: key, private_key_id: keyId } = account
    return new JWT({ email, key, ...(keyId && { keyId }), scopes: [scope], transporter })
  }

  const fetchToken = async (): Promise<string | UpstreamOutcome> => {
    last = null
    try {
      client ??= open()
      const { token } = await (await client).getAccessToken()
      return token || refusalOf(last)
    } catch {
      // The library's errors may hold the request, with its signature in it.
      return refusalOf(last)
    }
  }

  return {
    token: (signal, timeoutMs) =>
      new Promise(resolve => {
        let settled = false
        const end = (result: string | UpstreamOutcome): void => {
          settled = true
          clearTimeout(timer)
          signal.onabort = null
          resolve(result)
        }
        const abort = (): void => end({ kind: 'break', reason: 'aborted', sent: false, cause: signal.reason })
        const cause = new Error(`no token within ${timeoutMs} ms`)
        const timer = setTimeout(
          () => end({ kind: 'break', reason: 'timeout', sent: false, cause }),
          timeoutMs,
        )
        if (signal.aborted) return abort()
        signal.onabort = abort
        void fetchToken().then(result => {
          if (!settled) end(result)
        })
      }),
    close: async () => {
      await Promise.all([...transports.values()].map(transport => transport.close()))
    },
  }
}
