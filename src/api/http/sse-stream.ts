import { Readable } from 'node:stream'

/** Server-sent events on their way to one reader. */
export interface SseStream {
  readonly stream: Readable
  /** Whether the reader has taken all that was sent, and more can be sent. */
  isReady(): boolean
  /** Sends one or more events. May only be called while `isReady`. */
  send(text: string): void
  /** Ends the stream after what was sent. */
  end(): void
}

export interface SseStreamOptions {
  /** More can be sent. */
  readonly onReady: () => void
  /** Nothing can be sent any more: the stream was ended, or its reader is gone. */
  readonly onClosed: () => void
  readonly heartbeatMs: number
}

/** How long clients wait before they come back; browsers choose times of their own otherwise. */
export const retryDelayField = 'retry: 2000\n\n'
const heartbeatComment = ':\n\n'

/**
 * Opens with the retry delay, and sends a comment now and then so that no proxy takes the connection for a
 * dead one.
 */
export const createSseStream = ({ onReady, onClosed, heartbeatMs }: SseStreamOptions): SseStream => {
  let unsent = retryDelayField
  let isReady = false
  let isClosed = false

  const send = (text: string): void => {
    const chunk = unsent + text
    unsent = ''
    isReady = false
    stream.push(chunk)
  }
  const close = (): void => {
    if (isClosed) return
    isClosed = true
    clearInterval(heartbeat)
    onClosed()
  }
  const heartbeat = setInterval(() => {
    if (isReady) send(heartbeatComment)
  }, heartbeatMs)

  const stream = new Readable({
    // Nothing is made ahead: what a slow reader gets next is the newest by then.
    highWaterMark: 1,
    read: () => {
      isReady = true
      onReady()
      // The reader learns at once that the stream is open, though there is no event yet.
      if (isReady && unsent !== '') send('')
    },
    destroy: (error, done) => {
      close()
      done(error)
    },
  })

  return {
    stream,
    isReady: () => isReady && !isClosed,
    send,
    end: () => {
      if (isClosed) return
      close()
      if (unsent !== '') stream.push(unsent)
      stream.push(null)
    },
  }
}
