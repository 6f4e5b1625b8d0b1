import type { FastifyInstance } from 'fastify'
import { BatonError } from '../../domain/errors.ts'
import type { JobStreams } from '../job-streams.ts'
import type { JobWaits } from '../job-waits.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** `close()` with a deadline of its own: it resolves within this time, or a second where that is longer. */
    drain(withinMs: number): Promise<void>
  }
}

/** For the last answers to leave once the waits were let go. */
const lastWordsMs = 1_000

/**
 * `app.close()`: new requests are refused, long polls answered and streams ended at once; requests that wait for their job's answer may
 * do so until shortly before the deadline. Then they are answered 503, and at the deadline what is left is cut off.
 */
export const installClosing = (
  app: FastifyInstance,
  waits: JobWaits,
  streams: JobStreams,
  defaultDeadlineMs: number,
): void => {
  let isClosing = false
  let deadlineMs = defaultDeadlineMs
  const timers: NodeJS.Timeout[] = []

  app.decorate('drain', withinMs => {
    deadlineMs = withinMs
    return app.close()
  })
  app.addHook('preClose', async () => {
    isClosing = true
    waits.release('poll')
    streams.end()
    const letGoMs = Math.max(deadlineMs - lastWordsMs, 0)
    timers.push(
      setTimeout(() => waits.release('door'), letGoMs),
      setTimeout(() => app.server.closeAllConnections(), letGoMs + lastWordsMs),
    )
  })
  app.addHook('onRequest', (_request, _reply, done) => {
    done(isClosing ? shuttingDown() : undefined)
  })
  // Without it a connection stays open after its last answer, and close() waits for its keep-alive to end.
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (isClosing) reply.header('connection', 'close')
    done()
  })
  // Answers that had begun before promised to keep theirs open.
  app.addHook('onResponse', (_request, _reply, done) => {
    if (isClosing) app.server.closeIdleConnections()
    done()
  })
  app.addHook('onClose', async () => {
    for (const timer of timers) clearTimeout(timer)
  })
}

export const shuttingDown = (): BatonError =>
  new BatonError('shutting_down', 'This process is stopping.', { retryAfterMs: 1_000 })
