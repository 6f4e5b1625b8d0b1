import { Readable } from 'node:stream'
import type { Logger } from 'pino'
import { isTerminal } from '../../domain/job.ts'
import type { JobRecord } from '../../jobs/record.ts'
import type { JobStore } from '../../jobs/types.ts'
import { jobView } from '../../jobs/view.ts'
import { writeJson } from '../../json/json-text.ts'
import { isRedisTrouble } from '../../redis/trouble.ts'
import { traceOf } from '../http/errors.ts'
import { createSseStream, retryDelayField } from '../http/sse-stream.ts'
import type { JobWatcher } from './job-watcher.ts'

export interface JobStreams {
  /**
   * Server-sent events of a job: its state now, unless that is the one with the id `seen`, then each change
   * up to its final state. A slow reader gets the newest state and misses those between. Ends without a final
   * state when the job is gone. `read` reads the job once it has ended.
   */
  open(record: JobRecord, seen: string | null, read?: JobStore['read']): Readable
  /** Ends all, also those to come. Their clients come back, to another process. */
  end(): void
}

/** Proxies give up connections that are silent for a minute, some for half of one. */
const usualHeartbeatMs = 15_000

export const createJobStreams = (
  watcher: JobWatcher,
  store: Pick<JobStore, 'read'>,
  log: Logger,
  heartbeatMs = usualHeartbeatMs,
): JobStreams => {
  const ends = new Set<() => void>()
  let closing = false

  const open = (first: JobRecord, seen: string | null, read: JobStore['read']): Readable => {
    let newest = first
    let sent = seen
    let isFinishing = false

    const sendEvent = (record: JobRecord): void => {
      sent = eventIdOf(record)
      sse.send(jobEvent(record))
    }

    /** While Redis is away the end cannot be read: it is tried again at the next look at the job. */
    const finish = async (): Promise<void> => {
      if (isFinishing) return
      isFinishing = true
      try {
        const whole = newest === first ? first : await read(first.id)
        // A heartbeat took the reader's turn: the stream asks again.
        if (whole && !sse.isReady()) return
        if (whole) sendEvent(whole)
        sse.end()
      } catch (error) {
        if (isRedisTrouble(error)) return
        log.error({ event: 'job_stream.cut', jobId: first.id, ...traceOf(error) }, 'stream of a job cut')
        sse.stream.destroy()
      } finally {
        isFinishing = false
      }
    }

    const offer = (): void => {
      if (!sse.isReady() || eventIdOf(newest) === sent) return
      if (isTerminal(newest.status)) void finish()
      else sendEvent(newest)
    }

    const sse = createSseStream({
      onReady: offer,
      onClosed: () => {
        leave()
        ends.delete(sse.end)
      },
      heartbeatMs,
    })
    const leave = watcher.watch(first.id, head => {
      if (head === null) return sse.end()
      newest = head
      offer()
    })
    ends.add(sse.end)
    return sse.stream
  }

  return {
    open: (record, seen, read = store.read) =>
      closing ? Readable.from([retryDelayField]) : open(record, seen, read),
    end: () => {
      closing = true
      for (const end of ends) end()
    },
  }
}

/**
 * Names a state that a client may have seen: another status, or another call in the log, has another name. In
 * whichever process it is asked for, so that a client can come back to any. Each move gives the job another
 * doorbell, which is hop and ring; a long log drops old calls, so its length alone does not show a new one.
 */
export const eventIdOf = ({ hop, generation, attempts, status }: JobRecord): string => {
  const lastCallMs = Math.round((attempts.at(-1)?.started_at ?? 0) * 1_000)
  return [hop, generation, attempts.length, lastCallMs, status].join('.')
}

/** Line breaks between the tokens of an answer are mere white space, but would end the field of an event. */
const lineBreaks = /[\r\n]+/g

/** A server-sent event: `job.` and the status, as webhooks name the end, and the job as `GET` shows it. */
const jobEvent = (record: JobRecord): string =>
  `id: ${eventIdOf(record)}\nevent: job.${record.status}\ndata: ${writeJson(jobView(record)).replace(lineBreaks, ' ')}\n\n`
