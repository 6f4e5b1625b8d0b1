import { Readable } from 'node:stream'
import type { Logger } from 'pino'
import { isTerminal } from '../../domain/job.ts'
import type { JobRecord } from '../../jobs/record.ts'
import type { JobStore } from '../../jobs/store.ts'
import { isRedisTrouble } from '../../redis/trouble.ts'
import { traceOf } from '../http/errors.ts'
import { createEventOutlet, greeting } from '../http/sse-stream.ts'
import { eventIdOf, jobEvent } from './job-event.ts'
import type { JobWatcher } from './job-watcher.ts'

export interface JobStreams {
  /**
   * Server-sent events of a job: as it is, unless that is the state with the id `seen`, then as it changes, up to its final
   * state. A slow reader gets the newest state and not what was between. Ends without a final one when the job is gone. `read`: how to read the job once it has ended.
   */
  open(record: JobRecord, seen: string | null, read?: JobStore['read']): Readable
  /** Ends all, also those to come. Their clients come back, to another process. */
  end(): void
}

/** Proxies give up connections that are silent for a minute, some for half of one. */
const beatMs = 15_000

export const createJobStreams = (
  watcher: JobWatcher,
  store: Pick<JobStore, 'read'>,
  log: Logger,
  betweenBeatsMs = beatMs,
): JobStreams => {
  const ends = new Set<() => void>()
  let closing = false

  const open = (first: JobRecord, seen: string | null, read: JobStore['read']): Readable => {
    let newest = first
    let sent = seen
    let isFinishing = false

    const say = (record: JobRecord): void => {
      sent = eventIdOf(record)
      outlet.give(jobEvent(record))
    }

    /** While Redis is away the end is not told: it is tried again when the job is shown the next time. */
    const finish = async (): Promise<void> => {
      if (isFinishing) return
      isFinishing = true
      try {
        const whole = newest === first ? first : await read(first.id)
        // A beat came before it: then it is asked for again.
        if (whole && !outlet.isWanted()) return
        if (whole) say(whole)
        outlet.end()
      } catch (error) {
        if (isRedisTrouble(error)) return
        log.error({ event: 'job_stream.cut', jobId: first.id, ...traceOf(error) }, 'stream of a job cut')
        outlet.stream.destroy()
      } finally {
        isFinishing = false
      }
    }

    const offer = (): void => {
      if (!outlet.isWanted() || eventIdOf(newest) === sent) return
      if (isTerminal(newest.status)) void finish()
      else say(newest)
    }

    const outlet = createEventOutlet({
      onWanted: offer,
      onOver: () => {
        leave()
        ends.delete(outlet.end)
      },
      betweenBeatsMs,
    })
    const leave = watcher.watch(first.id, head => {
      if (head === null) return outlet.end()
      newest = head
      offer()
    })
    ends.add(outlet.end)
    return outlet.stream
  }

  return {
    open: (record, seen, read = store.read) =>
      closing ? Readable.from([greeting]) : open(record, seen, read),
    end: () => {
      closing = true
      for (const end of ends) end()
    },
  }
}
