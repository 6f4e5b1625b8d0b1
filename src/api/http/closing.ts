import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { Config } from '../../config/schema.ts'
import { BatonError } from '../../domain/errors.ts'
import type { JobStreams } from '../jobs/job-streams.ts'
import type { JobWaits } from '../jobs/job-waits.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Leaves step by step, within this time or a second where that is longer; see `installClosing`. */
    drain(withinMs: number): Promise<void>
    /** Whether it is about to stop: then it is not ready, though it still serves for a while. */
    isLeaving(): boolean
    /** Lets go what would wait here for long, as another app takes its place. */
    retire(): void
  }
}

/** For the last answers to leave once the waits were let go. */
const finalAnswersMs = 1_000

type Settings = Pick<Config['server'], 'shutdown_grace' | 'drain_delay'>

/**
 * How the API stops. First `/readyz` answers 503 and every answer closes its connection; for `drain_delay`
 * the API serves on, until load balancers have seen that. Then, as with `app.close()`, it takes no new
 * connections and refuses new requests; long polls are answered and streams ended at once, and requests that
 * wait for their job's answer may do so until shortly before the deadline. Then they are answered 503, and at
 * the deadline the rest is cut off.
 */
export const installClosing = (
  app: FastifyInstance,
  waits: JobWaits,
  streams: JobStreams,
  { shutdown_grace: defaultDeadlineMs, drain_delay: drainDelayMs }: Settings,
): void => {
  let isLeaving = false
  let isClosing = false
  let deadlineMs = defaultDeadlineMs
  const timers: NodeJS.Timeout[] = []

  app.decorate('isLeaving', () => isLeaving)
  app.decorate('drain', async withinMs => {
    isLeaving = true
    const delayMs = Math.min(drainDelayMs, withinMs)
    if (delayMs > 0) await delay(delayMs)
    deadlineMs = withinMs - delayMs
    await app.close()
  })
  app.addHook('preClose', async () => {
    isLeaving = true
    isClosing = true
    waits.release('poll')
    streams.end()
    const letGoMs = Math.max(deadlineMs - finalAnswersMs, 0)
    timers.push(
      setTimeout(() => waits.release('sync'), letGoMs),
      setTimeout(() => app.server.closeAllConnections(), letGoMs + finalAnswersMs),
    )
  })
  app.addHook('onRequest', (_request, _reply, done) => {
    done(isClosing ? shuttingDown() : undefined)
  })
  // Without it a connection stays open after its last answer, and close() waits for its keep-alive to end.
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (isLeaving) reply.header('connection', 'close')
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
