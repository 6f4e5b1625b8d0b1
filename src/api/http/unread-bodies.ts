import type { IncomingMessage, Server } from 'node:http'
import { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { hasBody } from './body-stream.ts'

/** How long and how far a connection is read on after an answer that came before the end of its request. */
export interface Patience {
  readonly forMs: number
  readonly bytes: number
  /** A client that sends nothing for this long has no more to send, or has gone. */
  readonly silentMs: number
}

const usual: Patience = { forMs: 30_000, bytes: 512 * 1024 * 1024, silentMs: 2_000 }

/** A rest of this size is read in no time, and the connection serves on. */
const shortBytes = 64 * 1024

/**
 * Answers that go out before their request has come to its end: refusals, most of them. Closing the
 * connection then resets it, and the reset overtakes the answer: the client finds EPIPE in its place. So the
 * connection stays open, and what the client still sends is read and dropped, within bounds, until it has
 * sent all or has seen the answer. Closing only the writing side would not do: Node's clients then end their
 * own.
 */
export const installUnreadBodies = (app: FastifyInstance, patience: Patience = usual): void => {
  dropAfterLast(app.server)
  app.addHook('onSend', (request, reply, _payload, done) => {
    const { raw } = request
    if (!raw.complete && hasBody(raw)) {
      if (!isShort(raw)) reply.header('connection', 'close')
      closeSlowly(raw, patience)
      reply.raw.once('finish', () => dropRest(raw))
    }
    done()
  })
}

/** Connections whose last answer has gone out, and that are read on only until their client has seen it. */
const answered = new WeakSet<Socket>()

/**
 * What comes on such a connection is no request any more. Node would parse it as one, and begin its answer
 * although earlier ones are still due that will never be sent: its own books are then wrong, and it ends the
 * process.
 */
const dropAfterLast = (server: Server): void => {
  const emit = server.emit as (event: string, ...more: unknown[]) => boolean
  server.emit = (event: string, ...more: unknown[]): boolean => {
    const [request] = more as [IncomingMessage]
    if (!carriesRequest.has(event) || !answered.has(request.socket)) return emit.call(server, event, ...more)
    dropRest(request)
    return true
  }
}

const carriesRequest: ReadonlySet<string> = new Set(['request', 'checkContinue', 'checkExpectation'])

const isShort = ({ headers }: IncomingMessage): boolean =>
  headers.expect === undefined && Number(headers['content-length'] ?? Number.NaN) <= shortBytes

/** The reader may have stopped half-way, and left the stream paused. */
const dropRest = (raw: IncomingMessage): void => {
  raw.unpipe()
  raw.on('error', () => undefined)
  raw.resume()
}

/** Node ends a connection by `destroySoon`, as soon as the last answer on it is written. */
const closeSlowly = (raw: IncomingMessage, patience: Patience): void => {
  const { socket } = raw
  socket.destroySoon = () => {
    const close = (): void => Socket.prototype.destroySoon.call(socket)
    answered.add(socket)
    if (raw.complete || socket.destroyed) return close()
    raw.once('end', close)
    readOn(socket, patience)
  }
}

/** Closes the connection once the client has gone silent, or the patience ends. */
export const readOn = (socket: Socket, { forMs, bytes, silentMs }: Patience = usual): void => {
  const startedMs = performance.now()
  const most = socket.bytesRead + bytes
  let before = socket.bytesRead
  const timer = setInterval(() => {
    const { bytesRead } = socket
    const isLate = performance.now() - startedMs > forMs
    if (bytesRead === before || bytesRead > most || isLate) socket.destroy()
    before = bytesRead
  }, silentMs)
  socket.once('close', () => clearInterval(timer))
}
