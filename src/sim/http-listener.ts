import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ListenOptions {
  /** 127.0.0.1 when absent. */
  readonly host?: string
  /** A free one when absent or 0. */
  readonly port?: number
}

/** A real HTTP server that starts once and stops at once, dropping whatever hangs on it. */
export interface HttpListener {
  /** `http://host:port`; throws before `start` has answered. */
  readonly url: string
  start(options?: ListenOptions): Promise<{ readonly url: string }>
  stop(): Promise<void>
}

/** Thousands of calls may begin at once; where the queue is full, a connection is tried again after a second. */
const backlog = 16_384

export function createHttpListener(onRequest: RequestListener): HttpListener {
  // No idle timeout: closing a kept connection just as a client reuses it would look like a fault that was not asked for.
  const server = createServer({ keepAliveTimeout: 0 }, onRequest)
  let url: string | null = null
  let started: Promise<{ readonly url: string }> | null = null
  let stopped: Promise<void> | null = null

  async function listen({ host = '127.0.0.1', port = 0 }: ListenOptions = {}) {
    if (stopped !== null) throw new Error('the server was stopped before it started')
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    server.once('error', reject)
    server.listen({ port, host, backlog }, resolve)
    await promise
    server.off('error', reject)
    const { port: bound } = server.address() as AddressInfo
    url = `http://${host.includes(':') ? `[${host}]` : host}:${bound}`
    return { url }
  }

  async function close(): Promise<void> {
    await started?.catch(() => {}) // a start that failed is its caller's to hear of
    if (!server.listening) return
    const closed = Promise.withResolvers<void>()
    server.close(() => closed.resolve())
    server.closeAllConnections()
    await closed.promise
  }

  return {
    get url() {
      if (url === null) throw new Error('the server has not started')
      return url
    },
    start(options) {
      started ??= listen(options)
      return started
    },
    stop() {
      stopped ??= close()
      return stopped
    },
  }
}

/** Reads a whole body as text, and calls back only when it came to its end. */
export function readBody(stream: NodeJS.ReadableStream, onText: (text: string) => void): void {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  stream.on('end', () => onText((chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)).toString('utf8')))
}

/** The path of a request line, without its query. */
export function pathOf(url: string): string {
  const end = url.indexOf('?')
  return end === -1 ? url : url.slice(0, end)
}
