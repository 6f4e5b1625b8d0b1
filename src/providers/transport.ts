import type { LookupFunction } from 'node:net'
import { Pool } from 'undici'
import type { CallSignal } from '../domain/interrupt.ts'
import type { UpstreamOutcome } from '../domain/upstream.ts'
import { createTunnelConnector, proxyHeaders } from '../net/tunnel.ts'
import { UpstreamCall } from './upstream-call.ts'

export interface TransportOptions {
  /** Only the origin is used; paths are given whole to `send`. */
  readonly baseUrl: URL
  /** The longest a whole call may take, waiting for a connection included. */
  readonly timeoutMs: number
  readonly connectTimeoutMs: number
  readonly maxResponseBytes: number
  /** By which the address is reached; null for none. */
  readonly proxy: URL | null
  /** Resolves the address, and the proxy; the system does without one. */
  readonly lookup?: LookupFunction | undefined
}

export interface Transport {
  /**
   * Sends once and never throws: a call that breaks is an outcome. Redirects are answers, not followed. `path` is from the
   * root of the host.
   */
  send(
    method: 'GET' | 'POST',
    path: string,
    headers: Readonly<Record<string, string>>,
    body: string | null,
    signal: CallSignal,
  ): Promise<UpstreamOutcome>
  /** Ends the calls still under way as `aborted`; may be called again. */
  close(): Promise<void>
}

/** A proxy is told where plain requests go, and asked for a connection where they are encrypted. */
const isForwarded = ({ proxy, baseUrl }: TransportOptions): boolean =>
  proxy !== null && baseUrl.protocol === 'http:'

const createPool = (options: TransportOptions): Pool => {
  const { baseUrl, proxy, connectTimeoutMs: timeoutMs, lookup } = options
  const isTunnelled = proxy !== null && !isForwarded(options)
  return new Pool(isForwarded(options) ? proxy!.origin : baseUrl.origin, {
    connect: isTunnelled
      ? createTunnelConnector(proxy, { timeoutMs, lookup })
      : { timeout: timeoutMs, ...(lookup && { lookup }) },
    // One call per connection, and as many connections as calls: the worker's concurrency is the limit. Were calls
    // pipelined, or multiplexed by HTTP/2, one lost connection would take others with it.
    pipelining: 1,
    allowH2: false,
    // `timeoutMs` bounds the whole call; undici's own two limits could only contradict it.
    headersTimeout: 0,
    bodyTimeout: 0,
    // keepAliveTimeout stays at undici's 4 s: common model servers close idle connections after 5 s without saying
    // so, and a POST that meets such a close is lost and perhaps billed.
  })
}

/** A proxy that wants other credentials is no answer of the provider, which was sent nothing. */
const withoutProxysWord = (outcome: UpstreamOutcome): UpstreamOutcome =>
  outcome.kind === 'answer' && outcome.status === 407
    ? { kind: 'break', reason: 'connect', sent: false, cause: new Error('the proxy answered 407') }
    : outcome

export const createTransport = (options: TransportOptions): Transport => {
  const { timeoutMs, maxResponseBytes } = options
  const pool = createPool(options)
  const { origin, host } = options.baseUrl
  const forwarding = isForwarded(options) ? { host, ...proxyHeaders(options.proxy!) } : null

  const send: Transport['send'] = (method, path, headers, body, signal) =>
    new Promise(resolve => {
      const call = new UpstreamCall(maxResponseBytes, outcome => {
        clearTimeout(timer)
        signal.onabort = null
        resolve(forwarding === null ? outcome : withoutProxysWord(outcome))
      })
      const onAbort = () => call.end('aborted', signal.reason)
      // A timer rather than AbortSignal.timeout, which costs several times as much.
      const timer = setTimeout(
        () => call.end('timeout', new Error(`no whole answer within ${timeoutMs} ms`)),
        timeoutMs,
      )
      if (signal.aborted) return onAbort()
      signal.onabort = onAbort
      pool.dispatch(
        forwarding === null
          ? { path, method, headers, body }
          : { path: origin + path, method, headers: { ...headers, ...forwarding }, body },
        call,
      )
    })

  return { send, close: () => pool.destroy() }
}
