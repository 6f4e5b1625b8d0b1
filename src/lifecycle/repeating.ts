import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'

export interface Repeating {
  start(): void
  /** Resolves when the round under way has ended. May be called twice, or before `start`. */
  stop(): Promise<void>
}

/**
 * Runs `round` again and again with `pauseMs` between the end of one and the start of the next. Failures are
 * logged once per streak: a Redis that is away is told of by its connection.
 */
export const createRepeating = (
  name: string,
  pauseMs: number,
  round: () => Promise<void>,
  log: Logger,
): Repeating => {
  const stopping = new AbortController()
  let running: Promise<void> | null = null
  let failing = false

  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        await round()
        failing = false
      } catch (error) {
        if (!failing) log.warn({ err: error, task: name }, 'background task failed')
        failing = true
      }
      await delay(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined)
    }
  }

  return {
    start: () => {
      running ??= loop()
    },
    stop: async () => {
      stopping.abort()
      await running
    },
  }
}
