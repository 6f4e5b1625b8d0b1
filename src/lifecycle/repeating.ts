import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'

export interface Repeating {
  start(): void
  /** Resolves when the round under way has ended. May be called twice, or before `start`. */
  stop(): Promise<void>
}

export interface RepeatingTask extends Repeating {
  /** Ends the pause under way; asked during a round, there is another right after it. */
  soon(): void
}

/**
 * Runs `round` again and again with `pauseMs` between the end of one and the start of the next. Failures are
 * logged once per streak: the connection reports a Redis that is away.
 */
export const createRepeating = (
  name: string,
  pauseMs: number,
  round: () => Promise<void>,
  log: Logger,
): RepeatingTask => {
  let pause = new AbortController()
  let isStopping = false
  let running: Promise<void> | null = null
  let failing = false

  const loop = async (): Promise<void> => {
    while (!isStopping) {
      pause = new AbortController()
      try {
        await round()
        failing = false
      } catch (error) {
        if (!failing) log.warn({ event: 'task.failed', err: error, task: name }, 'background task failed')
        failing = true
      }
      await delay(pauseMs, undefined, { signal: pause.signal }).catch(() => undefined)
    }
  }

  return {
    start: () => {
      running ??= loop()
    },
    soon: () => pause.abort(),
    stop: async () => {
      isStopping = true
      pause.abort()
      await running
    },
  }
}

/** A lease is renewed this often while it lasts: one renewal may be late or fail without harm. */
export const renewalsPerLease = 3
