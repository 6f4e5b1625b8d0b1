import { createSign } from 'node:crypto'
import type { LookupFunction } from 'node:net'
import type { CallSignal } from '../domain/interrupt.ts'
import type { UpstreamOutcome } from '../domain/upstream.ts'
import { createTransport, type Transport } from './transport.ts'

/** Short-lived tokens in place of a key. */
export interface TokenSource {
  /**
   * The token, or what became of asking for one. Never throws, and settles at once when `signal` aborts. It
   * is shared: a call that gives up after `timeoutMs` leaves it to the others.
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
const googleTokens = 'https://oauth2.googleapis.com/token'
const formHeaders = { 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' }
/** A token that is about to end is not used: a call may wait on its way. */
const renewBeforeMs = 5 * 60_000

const never: CallSignal = { aborted: false, reason: undefined, onabort: null }

/** The token server's answer about bad credentials, reported as a 401, as the API would. */
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

/** RFC 7523, as https://developers.google.com/identity/protocols/oauth2/service-account has it. */
const assertionOf = (account: ServiceAccount, nowMs: number): string => {
  const { client_email: iss, private_key, private_key_id: kid } = account
  const iat = Math.floor(nowMs / 1_000)
  const header = { alg: 'RS256', typ: 'JWT', ...(kid && { kid }) }
  const claims = { iss, scope, aud: googleTokens, iat, exp: iat + 3_600 }
  const signed = [header, claims]
    .map(part => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  return `${signed}.${createSign('RSA-SHA256').update(signed).sign(private_key, 'base64url')}`
}

const formOf = (assertion: string): string =>
  new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }).toString()

interface Token {
  readonly text: string
  readonly expiresAtMs: number
}

/** The token of an answer; null when there is none. */
const tokenIn = (json: unknown, askedAtMs: number): Token | null => {
  const { access_token: text, expires_in: seconds } = (json ?? {}) as Record<string, unknown>
  if (typeof text !== 'string' || text === '') return null
  return { text, expiresAtMs: askedAtMs + (Number(seconds) || 0) * 1_000 }
}

/**
 * Signs, caches and renews, by the time that all processes go by (google-auth-library does so by its host's
 * clock, and Google refuses an assertion that is some minutes off). It speaks through our transport, so that
 * a dead token server ends a call like a dead provider does.
 */
export const createGoogleTokens = (
  account: ServiceAccount,
  proxyOf: (address: URL) => URL | null,
  now: () => number,
  lookup?: LookupFunction,
): TokenSource => {
  const url = new URL(account.token_uri ?? googleTokens)
  let transport: Transport | null = null
  let token: Token | null = null
  let asking: Promise<string | UpstreamOutcome> | null = null

  const ask = async (): Promise<string | UpstreamOutcome> => {
    const askedAtMs = now()
    let form: string
    try {
      form = formOf(assertionOf(account, askedAtMs))
    } catch {
      return refusalOf(null)
    }
    transport ??= createTransport({ baseUrl: url, proxy: proxyOf(url), lookup, ...limits })
    const outcome = await transport.send('POST', url.pathname + url.search, formHeaders, form, { ...never })
    token = outcome.kind === 'answer' && outcome.status < 300 ? tokenIn(outcome.json, askedAtMs) : null
    return token?.text ?? refusalOf(outcome)
  }

  const fetchToken = (): Promise<string | UpstreamOutcome> => {
    if (token !== null && now() < token.expiresAtMs - renewBeforeMs) return Promise.resolve(token.text)
    asking ??= ask().finally(() => {
      asking = null
    })
    return asking
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
    close: async () => transport?.close(),
  }
}
