import type { IncomingMessage } from 'node:http'
import type { FastifyInstance } from 'fastify'
import type { Holding } from '../../rate-limits/bytes-in-flight.ts'
import type { BodyStream } from './body-stream.ts'
import { hasBody } from './body-stream.ts'
import type { Capacity } from './capacity.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** What this request holds of the bytes in flight; null for one without a body that is held. */
    holding: Holding | null
  }
}

/**
 * Admits no more bodies than the capacity allows: by `content-length` before anything is read, or else as the
 * bytes come. To be installed before anything that reads or decodes bodies; `countBodies` after it.
 */
export const installBodyLimits = (app: FastifyInstance, capacity: Capacity): void => {
  app.decorateRequest('holding', null)
  app.addHook('preParsing', (request, reply, payload, done) => {
    const { raw, routeOptions } = request
    if (!hasBody(raw) || request.readsBody || raw.method === 'GET' || raw.method === 'HEAD') {
      return done(null, payload)
    }
    const holding = capacity.bytes.hold(request.tenant ?? 'default')
    request.holding = holding
    const announced = Number(raw.headers['content-length'] ?? 0)
    // One that is too long by itself is refused for that.
    const isLong = announced > routeOptions.bodyLimit!
    const taken = isLong ? 'taken' : holding.grow(announced)
    if (taken !== 'taken') return done(capacity.refusedBytes(taken))
    reply.raw.once('close', holding.release)
    if (reply.raw.destroyed) holding.release()
    done(null, payload)
  })
}

/** Counts what a body brings beyond what it announced: all of it in chunks, and what it decodes to. */
export const countBodies = (app: FastifyInstance, capacity: Capacity): void => {
  app.addHook('preParsing', (request, _reply, payload, done) => {
    const { raw, holding } = request
    const isTold = raw.headers['content-length'] !== undefined && payload === raw
    if (holding !== null && !isTold) countStream(raw, payload as BodyStream, holding, capacity)
    // The parser begins to listen in this same turn: nothing has come by then.
    done(null, payload)
  })
}

const countStream = (
  raw: IncomingMessage,
  payload: BodyStream,
  holding: Holding,
  capacity: Capacity,
): void => {
  let counted = holding.bytes
  let received = 0
  const onData = (chunk: Buffer): void => {
    received += chunk.length
    if (received <= counted) return
    const taken = holding.grow(received - counted)
    if (taken === 'taken') {
      counted = received
      return
    }
    payload.off('data', onData)
    payload.emit('error', capacity.refusedBytes(taken))
    // A request is not destroyed: that would take the connection along on which the answer goes. Its rest is
    // dropped.
    if (payload === raw) return
    payload.on('error', () => undefined)
    payload.destroy()
  }
  payload.on('data', onData)
}
