import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { isRedisTrouble } from '../redis/trouble.ts'

/**
 * Sees a worker's writes through: a result that was paid for must not be lost to a Redis that is away for a
 * while.
 */
export interface ResultWrites {
  /** Writes until Redis takes it. Throws what is not trouble of Redis when it comes again and again. */
  persist<T>(write: () => Promise<T>): Promise<T>
  /** Tracks the write of a result: `settled` waits for it, and a failure is logged. */
  track(write: Promise<void>): void
  /** Resolves when no write is under way. */
  settled(): Promise<void>
}

const pauseMs = 500
const maxRefusals = 5

export const createResultWrites = (log: Logger): ResultWrites => {
  const unfinished = new Set<Promise<void>>()
  /**
   * Logged once, and once more when it is over: a hundred jobs that retry twice a second would fill the log's
   * disk.
   */
  let isRefusing = false
  const refused = (error: unknown): void => {
    if (isRefusing) return
    isRefusing = true
    log.error({ event: 'result.write_refused', err: error }, 'redis refuses writes, trying again')
  }
  const written = (): void => {
    if (!isRefusing) return
    isRefusing = false
    log.info({ event: 'result.writes_resumed' }, 'redis accepts writes again')
  }

  return {
    persist: async write => {
      for (let refusals = 1; ; refusals++) {
        try {
          const reply = await write()
          written()
          return reply
        } catch (error) {
          // Trouble of Redis passes; a bug of ours or a damaged record would hold a slot for ever. The
          // reconciler finds the job.
          if (!isRedisTrouble(error) && refusals >= maxRefusals) throw error
          refused(error)
          await delay(pauseMs)
        }
      }
    },
    track: write => {
      // The record still says that the job runs; the reconciler will find that no worker has it.
      const tracked = write
        .catch(error => log.error({ event: 'result.write_failed', err: error }, 'result not written'))
        .finally(() => unfinished.delete(tracked))
      unfinished.add(tracked)
    },
    settled: async () => {
      await Promise.all(unfinished)
    },
  }
}
