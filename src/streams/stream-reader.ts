import type { JobRecord } from '../jobs/record.ts'
import type { StreamBytes, StreamHub } from './stream-hub.ts'
import type { StreamLogs } from './stream-logs.ts'

/** Where a reader stands: in the stream of which run, and how many of its bytes it has. */
export interface StreamPosition {
  /** Null before its first byte. */
  readonly run: string | null
  readonly offset: number
}

/**
 * `whole`: the reader has the stream to its end. `short`: the log does not have the rest. `replaced`: what the reader has is of a
 * run that did not answer the job, and its stream does not begin anew.
 */
export type StreamEnd = 'whole' | 'short' | 'replaced'

/** One connection's way through the stream of a job. */
export interface StreamReader {
  readonly position: StreamPosition
  /** The connection takes bytes again. */
  resume(): void
  /** Looks into the log: the reader may have come late. */
  catchUp(): void
  /** Reads to the end of a job that has ended, or until it is closed. Rejects when Redis cannot be read. */
  finish(log: JobRecord['log']): Promise<StreamEnd>
  close(): void
}

export interface StreamReaderOptions {
  readonly jobId: string
  readonly hub: Pick<StreamHub, 'listen'>
  readonly logs: Pick<StreamLogs, 'read' | 'current'>
  readonly from: StreamPosition
  /** What the reader has is void, and another run's stream comes from its beginning. Absent for a stream that does not begin anew. */
  readonly beginAnew?: (() => void) | undefined
  /** Hands whole events to the connection; false when it takes no more for now. */
  readonly write: (bytes: Buffer) => boolean
}

/** Bytes of a log that are read at once. */
const pieceBytes = 64 * 1024

/**
 * Holds a position and no bytes: what is delivered is passed on if it is exactly what comes next and the connection takes it, and
 * read from the log later otherwise. So a slow reader costs this process nothing.
 */
export const createStreamReader = (options: StreamReaderOptions): StreamReader => {
  const { jobId, hub, logs, from, beginAnew, write } = options
  let { run, offset } = from
  let flows = true
  let isClosed = false
  /** The log has more than the reader. */
  let isBehind = false
  /** Another run may have the readers by now: the record says so. */
  let isDoubtful = false
  let reading: Promise<void> | null = null
  let wake = (): void => undefined

  const pass = (bytes: Buffer): void => {
    offset += bytes.length
    flows = write(bytes)
  }

  const turnTo = (next: string): void => {
    run = next
    if (offset > 0) beginAnew?.()
    offset = 0
    isBehind = true
  }

  /** The old log is read to its end first, since a piece of it may end within an event. */
  const readOn = async (): Promise<void> => {
    while (isBehind && flows && !isClosed && run !== null) {
      const piece = await logs.read(jobId, run, offset, pieceBytes)
      if (isClosed) return
      isBehind = piece.length > 0
      if (isBehind) pass(piece)
      else if (isDoubtful) {
        isDoubtful = false
        const current = await logs.current(jobId)
        if (current !== null && current !== run) turnTo(current)
      }
    }
  }
  const read = (): Promise<void> =>
    (reading ??= readOn().finally(() => {
      reading = null
      wake()
    }))
  /** A failure shows at the job's end, or passes: the next bytes, or the next look, read again. */
  const tryToRead = (): void => void read().catch(() => undefined)

  const catchUp = (): void => {
    isBehind = true
    isDoubtful = beginAnew !== undefined
    tryToRead()
  }
  const take = (part: StreamBytes): void => {
    if (isClosed) return
    if (offset === 0 && (run === null || part.offset === 0)) run = part.run
    if (part.run !== run) {
      if (beginAnew) catchUp()
      return
    }
    if (part.offset + part.bytes.length <= offset) return
    if (part.offset === offset && flows && reading === null) {
      pass(part.bytes)
      return
    }
    isBehind = true
    tryToRead()
  }
  const stop = hub.listen(jobId, { take, lookAgain: catchUp })

  const nextWake = (): Promise<void> =>
    new Promise(resolve => {
      wake = resolve
    })

  return {
    get position() {
      return { run, offset }
    },
    resume: () => {
      flows = true
      wake()
      if (isBehind) tryToRead()
    },
    catchUp,
    finish: async log => {
      if (log === null) return offset === 0 ? 'short' : 'replaced'
      if (offset === 0) run = log.run
      if (run !== log.run && beginAnew === undefined) return 'replaced'
      for (;;) {
        if (isClosed || (run === log.run && offset === log.bytes)) return 'whole'
        if (!flows) {
          await nextWake()
          continue
        }
        const before = { run, offset }
        isBehind = true
        await read()
        if (run !== before.run || offset !== before.offset || !flows) continue
        if (run === log.run) return 'short'
        turnTo(log.run)
      }
    },
    close: () => {
      isClosed = true
      stop()
      wake()
    },
  }
}
