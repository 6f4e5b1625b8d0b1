import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Capacity } from './capacity.ts'

/**
 * This share more is accepted beyond the limit, to be refused with an answer; further connections find the
 * port closed.
 */
const refusedShare = 0.1
const leastRefused = 50

export interface Connections {
  /** Those that are open. */
  readonly size: number
}

/**
 * Refuses requests on connections beyond `most`. Health probes are answered as long as they can connect at
 * all.
 */
export const limitConnections = (
  app: FastifyInstance,
  guarded: FastifyInstance,
  most: number,
  capacity: Capacity,
): Connections => {
  const open = new Set<Socket>()
  const beyond = new WeakSet<Socket>()
  app.server.maxConnections = most + Math.max(leastRefused, Math.ceil(most * refusedShare))
  app.server.on('connection', (socket: Socket) => {
    if (open.size >= most) beyond.add(socket)
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  guarded.addHook('onRequest', (request, reply, done) => {
    if (!beyond.has(request.raw.socket)) return done()
    reply.header('connection', 'close')
    done(capacity.refusedConnection())
  })
  return {
    get size() {
      return open.size
    },
  }
}
