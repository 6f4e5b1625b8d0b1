import type { Logger } from 'pino'
import type { CompletionListener } from '../../jobs/completion-listener.ts'
import type { JobRecord } from '../../jobs/record.ts'
import type { JobStore } from '../../jobs/types.ts'
import { isRedisTrouble } from '../../redis/trouble.ts'
import { traceOf } from '../http/errors.ts'

/** Gets a job without its response, or null when it is gone. */
export type JobListener = (head: JobRecord | null) => void

export interface JobWatcher {
  /**
   * Calls `listener` with the job again and again, changed or not, and soon after its end. Returns how to
   * stop.
   */
  watch(jobId: string, listener: JobListener): () => void
}

interface Watched {
  readonly listeners: Set<JobListener>
  readonly left: AbortController
}

const pollIntervalMs = 500
/**
 * A thousand reads a second at most: about a hundredth of what Redis can do. With more jobs each is read less
 * often.
 */
const pollSize = 500

/**
 * Polls the jobs that are watched in this process, many in one read and each once for all its listeners. Ends
 * come by the channel that announces them anyway; earlier changes are not published, so that jobs without a
 * watcher pay nothing. While Redis is away no listener is called.
 */
export const createJobWatcher = (
  waiter: CompletionListener,
  store: Pick<JobStore, 'readHeads'>,
  log: Logger,
): JobWatcher => {
  const watched = new Map<string, Watched>()
  let timer: NodeJS.Timeout | undefined
  let isReading = false

  const notify = async (ids: readonly string[]): Promise<void> => {
    try {
      const heads = await store.readHeads(ids)
      for (const [i, id] of ids.entries()) {
        for (const listener of watched.get(id)?.listeners ?? []) listener(heads[i] ?? null)
      }
    } catch (error) {
      // The connection logs an outage.
      if (!isRedisTrouble(error))
        log.error({ event: 'job_watch.read_failed', ...traceOf(error) }, 'watched jobs not read')
    }
  }

  const poll = async (): Promise<void> => {
    if (isReading) return
    isReading = true
    const batch = [...watched.entries().take(pollSize)]
    for (const [id, entry] of batch) {
      watched.delete(id)
      watched.set(id, entry)
    }
    await notify(batch.map(([id]) => id))
    isReading = false
  }

  const awaitEnd = async (jobId: string, left: AbortSignal): Promise<void> => {
    // As if it were new, and never found ended: an end that is missed here is seen by the next poll.
    await waiter.wait(jobId, left, async () => false, true)
    if (!left.aborted) await notify([jobId])
  }

  const enter = (jobId: string): Watched => {
    const entry = { listeners: new Set<JobListener>(), left: new AbortController() }
    if (watched.size === 0) timer = setInterval(poll, pollIntervalMs)
    watched.set(jobId, entry)
    void awaitEnd(jobId, entry.left.signal)
    return entry
  }

  return {
    watch: (jobId, listener) => {
      const { listeners, left } = watched.get(jobId) ?? enter(jobId)
      listeners.add(listener)
      return () => {
        if (!listeners.delete(listener) || listeners.size > 0) return
        watched.delete(jobId)
        left.abort()
        if (watched.size === 0) clearInterval(timer)
      }
    },
  }
}
