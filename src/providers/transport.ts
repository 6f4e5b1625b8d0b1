import type { LookupFunction } from 'node:net'
import type { CallSignal } from '../domain/interrupt.ts'
import type { UpstreamOutcome } from '../domain/upstream.ts'
import { createTunnelConnector, proxyHeaders } from '../net/tunnel.ts'
import type { BodyReader } from './body-reader.ts'
import { type Connections, createConnections } from './connections.ts'
import type { StallWatch } from './stall-watch.ts'
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

/** Who reads an answer that is streamed, and who finds out that it has stalled. */
export interface StreamedBody {
  readonly reader: BodyReader
  readonly watch: StallWatch
}

export interface Transport {
  /**
   * Sends once and never throws: a call that breaks is an outcome. Redirects are answers, not followed. `path` is from the
   * root of the host. `stream`: reads the answer while it comes.
   */
  send(
    method: 'GET' | 'POST',
    path: string,
    headers: Readonly<Record<string, string>>,
    body: string | null,
    signal: CallSignal,
    stream?: StreamedBody,
  ): Promise<UpstreamOutcome>
  /** Ends the calls still under way as `aborted`; may be called again. */
  close(): Promise<void>
}

/** A proxy is told where plain requests go, and asked for a connection where they are encrypted. */
const isForwarded = ({ proxy, baseUrl }: TransportOptions): boolean =>
  proxy !== null && baseUrl.protocol === 'http:'

const openConnections = (options: TransportOptions): Connections => {
  const { baseUrl, proxy, connectTimeoutMs: timeoutMs, lookup } = options
  const isTunnelled = proxy !== null && !isForwarded(options)
  return createConnections({
    origin: isForwarded(options) ? proxy!.origin : baseUrl.origin,
    connect: isTunnelled
      ? createTunnelConnector(proxy, { timeoutMs, lookup })
      : { timeout: timeoutMs, ...(lookup && { lookup }) },
  })
}

/** A proxy that wants other credentials is no answer of the provider, which was sent nothing. */
const withoutProxysWord = (outcome: UpstreamOutcome): UpstreamOutcome =>
  outcome.kind === 'answer' && outcome.status === 407
    ? { kind: 'break', reason: 'connect', sent: false, cause: new Error('the proxy answered 407') }
    : outcome

export const createTransport = (options: TransportOptions): Transport => {
  const { timeoutMs, maxResponseBytes } = options
  const connections = openConnections(options)
  const { origin, host } = options.baseUrl
  const forwarding = isForwarded(options) ? { host, ...proxyHeaders(options.proxy!) } : null

  const send: Transport['send'] = (method, path, headers, body, signal, stream) =>
    new Promise(resolve => {
      const settle = (outcome: UpstreamOutcome): void => {
        clearTimeout(timer)
        stream?.watch.stop()
        signal.onabort = null
        resolve(forwarding === null ? outcome : withoutProxysWord(outcome))
      }
      const call = new UpstreamCall(maxResponseBytes, settle, stream?.reader)
      const onAbort = () => call.end('aborted', signal.reason)
      // A timer rather than AbortSignal.timeout, which costs several times as much.
      const timer = setTimeout(
        () => call.end('timeout', new Error(`no whole answer within ${timeoutMs} ms`)),
        timeoutMs,
      )
      if (signal.aborted) return onAbort()
      signal.onabort = onAbort
      stream?.watch.start((reason, cause) => call.end(reason, cause))
      const connection = connections.take(call)
      if (connection === null) return call.end('aborted', new Error('the provider was closed'))
      connection.dispatch(
        forwarding === null
          ? { path, method, headers, body }
          : { path: origin + path, method, headers: { ...headers, ...forwarding }, body },
        call,
      )
    })

  return { send, close: connections.close }
}
