import type { IncomingMessage } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { hasBody } from './body-stream.ts'

export interface BodyPace {
  readonly everyMs: number
  /** Fewer than these in that time, and the connection is cut. */
  readonly minBytes: number
}

/** 1 kB/s: slower than any line that files are sent over, and no bytes at all do not last. */
const usualPace: BodyPace = { everyMs: 60_000, minBytes: 60_000 }

/**
 * Cuts connections whose body does not get on. A limit for the whole body, as Node has it, would cut a large
 * file on a slow line as well; without any, connections that send nothing would add up.
 */
export const installBodyPace = (app: FastifyInstance, pace: BodyPace = usualPace): void => {
  app.addHook('onRequest', (request, _reply, done) => {
    const { raw } = request
    if (hasBody(raw)) watch(raw, pace)
    done()
  })
}

const watch = (raw: IncomingMessage, { everyMs, minBytes }: BodyPace): void => {
  const { socket } = raw
  let before = socket.bytesRead
  const timer = setInterval(() => {
    if (raw.complete || socket.destroyed) return clearInterval(timer)
    // Bytes that wait to be read show that the slowness is ours.
    const isOurs = raw.readableLength > 0
    if (!isOurs && socket.bytesRead - before < minBytes) socket.destroy()
    before = socket.bytesRead
  }, everyMs)
  // A request that was answered before its end emits no `close` with its connection, and must not keep the
  // process alive.
  timer.unref()
  raw.once('close', () => clearInterval(timer))
}
