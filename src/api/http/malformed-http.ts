import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { errorBody } from '../../domain/classify/error-shape.ts'
import { BatonError } from '../../domain/errors.ts'
import { hostHeadersOf } from './cross-site.ts'
import { errorAnswerOf } from './error-answer.ts'
import { newRequestId } from './request-log.ts'
import { securityHeaders } from './response-headers.ts'
import { readOn } from './unread-bodies.ts'

/** Errors of Node's parser that have codes of their own; after any other the request is not well-formed. */
const refusals: Readonly<Record<string, () => BatonError>> = {
  HPE_HEADER_OVERFLOW: () =>
    new BatonError('headers_too_large', 'The path and headers are longer than 16 kB together.'),
  ERR_HTTP_REQUEST_TIMEOUT: () =>
    new BatonError('request_timeout', 'The request did not come to its end in time.'),
}

const malformed = (): BatonError =>
  new BatonError('invalid_request', 'This is not a well-formed HTTP request.')

/** Nothing more is understood of such a connection, so that its client is waited for but shortly. */
const patience = { forMs: 5_000, bytes: 64 * 1024 * 1024, silentMs: 500 }

/** Connections that end as soon as the answers that are due on them have gone out. */
const ending = new WeakSet<Socket>()

/**
 * Fastify's `clientErrorHandler`: answers what never becomes a request, in the shape of every other error,
 * and ends the connection. Without a path, Anthropic's clients cannot be recognised.
 */
export const refuseMalformed = (error: NodeJS.ErrnoException, socket: Socket): void => {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  // Node reports what follows again, though it is not read.
  if (ending.has(socket)) return
  ending.add(socket)
  refuseInTurn((refusals[error.code ?? ''] ?? malformed)(), socket)
}

/**
 * What is written before the answers to earlier requests on the connection would be taken for one of them.
 */
const refuseInTurn = (error: BatonError, socket: Socket): void => {
  const { _httpMessage: pending } = socket as Socket & { readonly _httpMessage?: ServerResponse | null }
  const isOther = pending && (pending.req.complete || pending.headersSent)
  if (!isOther) refuse(error, socket)
  // By then the next answer that is due has the connection.
  else pending.once('finish', () => setImmediate(refuseInTurn, error, socket))
}

const refuse = (error: BatonError, socket: Socket): void => {
  const answer = errorAnswerOf(error)
  const requestId = newRequestId()
  const body = JSON.stringify(errorBody('openai', answer, requestId))
  const head = [
    `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status]}`,
    'connection: close',
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    ...Object.entries(securityHeaders).map(([name, value]) => `${name}: ${value}`),
  ]
  if (!socket.writable) socket.destroy()
  else {
    socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
    // Closed at once, what is still coming would reset the connection before the client has read this.
    readOn(socket, patience)
  }
}

/**
 * Takes over what Node would answer by itself and without a body: an unknown `Expect` is passed over, and a
 * request of HTTP/1.1 without a host is refused here (the server is made with `requireHostHeader: false`).
 */
export const installProtocolRefusals = (app: FastifyInstance): void => {
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response))
  app.addHook('onRequest', ({ raw }, _reply, done) => {
    const { length } = hostHeadersOf(raw)
    // With several, it is anybody's guess which one a proxy in front has judged (RFC 9112, 3.2).
    const isFaulty = length > 1 || (length === 0 && raw.httpVersion === '1.1')
    done(isFaulty ? new BatonError('invalid_request', 'Send one `host` header.') : undefined)
  })
}
