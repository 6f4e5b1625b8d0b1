import type { Logger } from 'pino'
import type { JobStore } from '../jobs/types.ts'
import type { StreamHub } from './stream-hub.ts'
import type { StreamLogs } from './stream-logs.ts'

/** Sees to jobs whose readers have gone: an answer that nobody can read any more is not paid for to its end. */
export interface StreamLeavers {
  /** A reader of this process has gone. */
  left(jobId: string): void
  stop(): void
}

interface StreamLeaversParts {
  readonly hub: Pick<StreamHub, 'isRead'>
  readonly logs: Pick<StreamLogs, 'leave'>
  readonly store: Pick<JobStore, 'cancel'>
  readonly graceMs: number
  /** After so long it shows whether another reader's process was killed. */
  readonly silentAfterMs: number
  readonly log: Logger
}

export const createStreamLeavers = ({
  hub,
  logs,
  store,
  graceMs,
  silentAfterMs,
  log,
}: StreamLeaversParts): StreamLeavers => {
  const timers = new Map<string, NodeJS.Timeout>()

  const seeIn = (ms: number, jobId: string, isLast: boolean): void => {
    if (timers.has(jobId)) return
    timers.set(
      jobId,
      setTimeout(() => void see(jobId, isLast), ms),
    )
  }
  const see = async (jobId: string, isLast: boolean): Promise<void> => {
    timers.delete(jobId)
    if (hub.isRead(jobId)) return
    try {
      if (await logs.leave(jobId)) await store.cancel(jobId)
      else if (!isLast) seeIn(silentAfterMs, jobId, true)
    } catch (error) {
      log.warn({ event: 'job.cancel_failed', err: error, jobId }, 'abandoned job not cancelled')
    }
  }

  return {
    left: jobId => seeIn(graceMs, jobId, false),
    stop: () => {
      for (const timer of timers.values()) clearTimeout(timer)
    },
  }
}
