import type { Logger } from 'pino'
import type { StreamSink } from '../domain/streaming/stream-sink.ts'
import type { StreamBytes } from './stream-hub.ts'
import type { StreamLogs } from './stream-logs.ts'

/** The stream of one run of a job, on its way to the log and to its readers. */
export interface StreamWriter extends StreamSink {
  /** Whether readers may have something of it: then no other run or provider answers this job. */
  readonly isCommitted: boolean
  /** The name of its log. */
  readonly run: string
  readonly bytes: number
  /** Resolves once its log has something; never where it stays without. */
  readonly begun: Promise<void>
  /** Resolves when the log has all that was written. False where the run lost its job. */
  settled(): Promise<boolean>
}

export interface StreamWriterOptions {
  readonly jobId: string
  /** See `Append`. */
  readonly token: string
  readonly run: string
  readonly logs: Pick<StreamLogs, 'append'>
  /** Passes bytes to readers in this process. */
  readonly deliver: (bytes: StreamBytes) => void
  /** Called at most once: another has the job, or it has ended. */
  readonly onLost: () => void
  readonly persist: <T>(write: () => Promise<T>) => Promise<T>
  /** The longest time between two appends. The first one waits for nothing. */
  readonly groupMs: number
  /** Whether they follow sooner while Redis is quick: `groupMs` is then for when it is busy. */
  readonly isPrompt: boolean
  /** The most that the log holds. */
  readonly maxBytes: number
  readonly log: Logger
}

/**
 * The time between two prompt appends, by how long the last one took: while Redis is idle, each token goes by itself; the busier
 * it is, or this process, the more go together. So a stream has an append under way for a quarter of the time at most.
 */
const roundTrips = 4

/**
 * One append at a time, and what is written meanwhile goes with the next: so Redis pays for a group of tokens what it would pay
 * for one. All text is held until the end, since Redis may lose its last second and has to be sent it again.
 */
export const createStreamWriter = (options: StreamWriterOptions): StreamWriter => {
  const { jobId, token, run, logs, deliver, onLost, persist, groupMs, isPrompt, maxBytes, log } = options
  const texts: string[] = []
  /** Where each text begins, and where the next one will. */
  const offsets: number[] = [0]
  const begun = Promise.withResolvers<void>()
  let acknowledged = 0
  let isLost = false
  let appending: Promise<void> | null = null
  let timer: NodeJS.Timeout | null = null
  let lastAtMs = Number.NEGATIVE_INFINITY
  let tookMs = 0

  const end = (): number => offsets.at(-1)!

  const lose = (): void => {
    isLost = true
    onLost()
  }

  const waitMs = (): number => {
    const pauseMs = isPrompt ? Math.min(groupMs, roundTrips * tookMs) : groupMs
    return Math.max(0, lastAtMs + pauseMs - performance.now())
  }

  /** The next text to be sent where the log has so many bytes. */
  const textAt = (bytes: number): number => {
    const at = offsets.lastIndexOf(bytes)
    if (at === -1) throw new Error(`the log of ${jobId} ends within what was appended as a whole`)
    return at
  }

  const appendOnce = async (): Promise<void> => {
    const from = acknowledged
    const to = texts.length
    const isKept = offsets[to]! <= maxBytes
    const text = texts.slice(from, to).join('')
    const length = await persist(() =>
      logs.append({ jobId, token, run, offset: offsets[from]!, text, isKept }),
    )
    if (length < 0) return lose()
    acknowledged = textAt(length)
    begun.resolve()
  }

  const appendAll = async (): Promise<void> => {
    try {
      while (!isLost && acknowledged < texts.length) {
        lastAtMs = performance.now()
        await appendOnce()
        tookMs = performance.now() - lastAtMs
        if (acknowledged < texts.length && !isClosing) return later()
      }
    } catch (error) {
      // Not in silence: readers of other processes would wait for ever.
      log.error({ event: 'stream.append_failed', err: error, jobId }, 'stream not appended to its log')
      lose()
    } finally {
      appending = null
    }
  }

  let isClosing = false
  const later = (): void => {
    timer ??= setTimeout(flush, waitMs())
  }
  const flush = (): void => {
    if (timer) clearTimeout(timer)
    timer = null
    appending ??= appendAll()
  }

  return {
    get isCommitted() {
      return texts.length > 0
    },
    run,
    get bytes() {
      return end()
    },
    begun: begun.promise,
    write: text => {
      if (isLost) return
      const bytes = Buffer.from(text)
      const offset = end()
      texts.push(text)
      offsets.push(offset + bytes.length)
      deliver({ jobId, run, offset, bytes })
      if (appending) return
      if (waitMs() === 0) flush()
      else later()
    },
    settled: async () => {
      isClosing = true
      while (!isLost && acknowledged < texts.length) {
        flush()
        await appending
      }
      if (timer) clearTimeout(timer)
      return !isLost
    },
  }
}
