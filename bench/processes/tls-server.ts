import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer as createPlainServer, type RequestListener, type ServerResponse } from 'node:http'
import { createSecureServer, type Http2ServerResponse } from 'node:http2'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'

export interface TlsServerInput {
  readonly keyFile: string
  readonly certFile: string
  readonly answerBytes: number
}

/** What it says when it is ready. */
export interface TlsServerReady {
  readonly port: number
  /** Plain HTTP, for control: `GET /counts`, `POST /delay/<ms>`, `POST /cut`. */
  readonly control: string
}

export interface TlsServerCounts {
  /** TLS connections, and those of them that took up an earlier session. */
  readonly handshakes: number
  readonly resumed: number
}

// A provider that speaks TLS, HTTP/1.1 and HTTP/2 on one port, and answers every call after a delay. Both are Node's own
// servers; that of HTTP/2 allows as many streams a connection as a client opens.
const { keyFile, certFile, answerBytes } = JSON.parse(process.argv[2]!) as TlsServerInput
const answer = JSON.stringify({ choices: [{ message: { content: 'x'.repeat(answerBytes) } }] })
const sockets = new Set<Socket>()
let delayMs = 0
let handshakes = 0
let resumed = 0

const respond = (response: ServerResponse | Http2ServerResponse): void => {
  response.setHeader('content-type', 'application/json')
  response.setHeader('content-length', Buffer.byteLength(answer))
  response.end(answer)
}

const secure = createSecureServer(
  { key: readFileSync(keyFile), cert: readFileSync(certFile), allowHTTP1: true },
  (request, response) => {
    request.resume()
    if (delayMs === 0) return respond(response)
    const timer = setTimeout(respond, delayMs, response)
    response.once('close', () => clearTimeout(timer))
  },
)
secure.on('secureConnection', (socket: TLSSocket) => {
  handshakes++
  if (socket.isSessionReused()) resumed++
})
secure.on('sessionError', () => undefined)
secure.on('tlsClientError', () => undefined)
// As the server of TLS cannot be told of a queue for as many connections as come at once, one of TCP takes them.
const listener = createServer(socket => {
  sockets.add(socket)
  socket.once('close', () => sockets.delete(socket))
  socket.on('error', () => undefined)
  secure.emit('connection', socket)
})

/** Breaks the oldest connection off. */
const cut = (): void => {
  const [oldest] = sockets
  oldest?.resetAndDestroy()
}

const control: RequestListener = ({ url = '' }, response) => {
  if (url === '/cut') cut()
  if (url.startsWith('/delay/')) delayMs = Number(url.slice('/delay/'.length))
  const counts: TlsServerCounts = { handshakes, resumed }
  response.end(JSON.stringify(counts))
}

const listen = async (server: Server): Promise<number> => {
  server.listen({ port: 0, host: '127.0.0.1', backlog: 16_384 })
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

const port = await listen(listener)
const ready: TlsServerReady = {
  port,
  control: `http://127.0.0.1:${await listen(createPlainServer(control))}`,
}
process.send!(JSON.stringify(ready))
