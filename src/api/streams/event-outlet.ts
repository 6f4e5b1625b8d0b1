import { Readable } from 'node:stream'

/** The body of one answer that is streamed. */
export interface EventOutlet {
  readonly stream: Readable
  /** Passes events on; false when the connection takes no more for now, and `onReady` says when it does. */
  write(bytes: Buffer | string): boolean
  /** Passes on a comment, which clients leave out. */
  comment(): void
  end(): void
}

interface EventOutletOptions {
  readonly onReady: () => void
  /** The stream was ended, or its reader is gone. */
  readonly onClosed: () => void
  /** A comment goes out when nothing else has for so long. */
  readonly keepaliveMs: number
  /** A connection that takes nothing of what is there for so long is cut; its reader can come back. */
  readonly stuckMs?: number
}

export const streamHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  // For nginx, which would gather events until there are many.
  'x-accel-buffering': 'no',
}

/**
 * Longer than proxies hold a silent connection (a minute by default), and enough for one of 600 bytes a second to take what it is
 * given ahead: whoever is slower than that holds a place of its tenant, and a job's end, for nothing.
 */
const usualStuckMs = 120_000

const comment = ': keep-alive\n\n'
/** As much as a connection is given ahead of what its socket takes. */
const aheadBytes = 64 * 1024
const newline = 10

/** Bytes from a log may end within an event, where a comment would break it. */
const endsEvent = (bytes: Buffer | string): boolean =>
  typeof bytes === 'string' ? bytes.endsWith('\n\n') : bytes.at(-1) === newline && bytes.at(-2) === newline

export const createEventOutlet = ({
  onReady,
  onClosed,
  keepaliveMs,
  stuckMs = usualStuckMs,
}: EventOutletOptions): EventOutlet => {
  let isClosed = false
  let isBetween = true
  let takesMore = true
  let lastAtMs = performance.now()

  const close = (): void => {
    if (isClosed) return
    isClosed = true
    clearInterval(timer)
    onClosed()
  }
  const stream = new Readable({
    highWaterMark: aheadBytes,
    read: () => {
      if (takesMore) return
      takesMore = true
      onReady()
    },
    destroy: (error, done) => {
      close()
      done(error)
    },
  })
  const write = (bytes: Buffer | string): boolean => {
    if (isClosed) return false
    lastAtMs = performance.now()
    isBetween = endsEvent(bytes)
    takesMore = stream.push(bytes)
    return takesMore
  }
  const sendComment = (): void => {
    if (takesMore && isBetween) write(comment)
  }
  const timer = setInterval(() => {
    const silentMs = performance.now() - lastAtMs
    if (!takesMore && silentMs >= stuckMs) stream.destroy()
    else if (silentMs >= keepaliveMs) sendComment()
  }, keepaliveMs / 2)

  return {
    stream,
    write,
    comment: sendComment,
    end: () => {
      if (isClosed) return
      close()
      stream.push(null)
    },
  }
}
