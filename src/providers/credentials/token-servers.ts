import type { LookupFunction } from 'node:net'
import type { CallSignal } from '../../domain/interrupt.ts'
import type { UpstreamAnswer, UpstreamOutcome } from '../../domain/upstream.ts'
import { createTransport, type Transport } from '../transport.ts'

/** What providers and their servers of tokens are reached by. */
export interface Reach {
  proxyOf(address: URL): URL | null
  readonly lookup?: LookupFunction | undefined
  /** Unix ms, by the clock that all processes go by. */
  now(): number
  /** The environment of this process. */
  readonly env: Readonly<Record<string, string | undefined>>
}

/** They answer within a second, with a few KB. */
const limits = { timeoutMs: 15_000, connectTimeoutMs: 5_000, maxResponseBytes: 256 * 1024 }

const never: CallSignal = { aborted: false, reason: undefined, onabort: null }

type Headers = Readonly<Record<string, string>>

/**
 * Asks servers of tokens, over connections like those to providers: by the same proxies and name servers, with an outcome
 * in place of an exception. `timeoutMs`: for a server that is next to this process, or is not there at all.
 */
export interface TokenServers {
  ask(
    method: 'GET' | 'POST',
    url: URL,
    headers: Headers,
    body: string | null,
    timeoutMs?: number,
  ): Promise<UpstreamOutcome>
  close(): Promise<void>
}

export const createTokenServers = ({ proxyOf, lookup }: Reach): TokenServers => {
  const transports = new Map<string, Transport>()
  const transportTo = (url: URL, timeoutMs: number): Transport => {
    const key = `${url.origin} ${timeoutMs}`
    const known = transports.get(key)
    if (known) return known
    const connectTimeoutMs = Math.min(limits.connectTimeoutMs, timeoutMs)
    const made = createTransport({
      ...{ ...limits, timeoutMs, connectTimeoutMs },
      ...{ baseUrl: url, proxy: proxyOf(url), lookup },
    })
    transports.set(key, made)
    return made
  }
  return {
    ask: (method, url, headers, body, timeoutMs = limits.timeoutMs) =>
      transportTo(url, timeoutMs).send(method, url.pathname + url.search, headers, body, { ...never }),
    close: async () => {
      await Promise.all([...transports.values()].map(transport => transport.close()))
    },
  }
}

const formHeaders = { 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' }

export const postForm = (
  servers: TokenServers,
  url: URL,
  form: Readonly<Record<string, string>>,
): Promise<UpstreamOutcome> => servers.ask('POST', url, formHeaders, new URLSearchParams(form).toString())

/** Whether an outcome says something of the server, or of the way to it, rather than of the credentials. */
export const isPassing = (outcome: UpstreamOutcome): boolean =>
  outcome.kind === 'break' || outcome.status === 429 || outcome.status >= 500

/** As what becomes of a call that waits for a token: that call was never sent, so nothing can be billed. */
export const passing = (outcome: UpstreamOutcome): UpstreamOutcome =>
  outcome.kind === 'break' ? { ...outcome, sent: false } : outcome

/** Questions that a library puts on our behalf, and what of the way to its servers was in their way last. */
export interface Errand {
  /** Rejects where there was no answer. */
  ask(...question: Parameters<TokenServers['ask']>): Promise<UpstreamAnswer>
  readonly trouble: UpstreamOutcome | null
}

export const createErrand = (servers: TokenServers): Errand => {
  let trouble: UpstreamOutcome | null = null
  return {
    ask: async (...question) => {
      const outcome = await servers.ask(...question)
      trouble = isPassing(outcome) ? passing(outcome) : null
      if (outcome.kind === 'break') throw new Error(`no answer (${outcome.reason})`, { cause: outcome.cause })
      return outcome
    },
    get trouble() {
      return trouble
    },
  }
}
