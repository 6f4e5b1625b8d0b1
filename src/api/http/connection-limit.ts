import type { Server } from 'node:http'
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

interface Watched {
  readonly open: Set<Socket>
  readonly beyond: WeakSet<Socket>
}

/** The apps of one server, one after the other, count the same connections. */
const watched = new WeakMap<Server, Watched>()

const watch = (server: Server, most: number): Watched => {
  const open = new Set<Socket>()
  const beyond = new WeakSet<Socket>()
  server.on('connection', (socket: Socket) => {
    if (open.size >= most) beyond.add(socket)
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  watched.set(server, { open, beyond })
  return { open, beyond }
}

/**
 * Refuses requests on connections beyond `most`. Health probes are answered as long as they can connect at
 * all.
 */
export const limitConnections = (
  server: Server,
  guarded: FastifyInstance,
  most: number,
  capacity: Capacity,
): Connections => {
  server.maxConnections = most + Math.max(leastRefused, Math.ceil(most * refusedShare))
  const { open, beyond } = watched.get(server) ?? watch(server, most)
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
