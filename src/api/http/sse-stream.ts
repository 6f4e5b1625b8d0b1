import { Readable } from 'node:stream'

/** Server-sent events on their way to one reader. */
export interface EventOutlet {
  readonly stream: Readable
  /** Whether the reader has taken all that was given, and more can come. */
  isWanted(): boolean
  /** Sends one or more events. Only what is wanted may be given. */
  give(text: string): void
  /** Ends the stream after what was given. */
  end(): void
}

export interface OutletOptions {
  /** More is wanted. */
  readonly onWanted: () => void
  /** Nothing can be given any more: the stream was ended, or its reader is gone. */
  readonly onOver: () => void
  readonly betweenBeatsMs: number
}

/** How long clients wait before they come back; browsers choose times of their own otherwise. */
export const greeting = 'retry: 2000\n\n'
const comment = ':\n\n'

/** Opens with a greeting, and says something now and then so that no proxy takes the connection for a dead one. */
export const createEventOutlet = ({ onWanted, onOver, betweenBeatsMs }: OutletOptions): EventOutlet => {
  let unsaid = greeting
  let wanted = false
  let isOver = false

  const give = (text: string): void => {
    const chunk = unsaid + text
    unsaid = ''
    wanted = false
    stream.push(chunk)
  }
  const close = (): void => {
    if (isOver) return
    isOver = true
    clearInterval(beating)
    onOver()
  }
  const beating = setInterval(() => {
    if (wanted) give(comment)
  }, betweenBeatsMs)

  const stream = new Readable({
    // Nothing is made ahead: what a slow reader gets next is the newest by then.
    highWaterMark: 1,
    read: () => {
      wanted = true
      onWanted()
      // The reader should know that it is heard, though there is nothing to say.
      if (wanted && unsaid !== '') give('')
    },
    destroy: (error, done) => {
      close()
      done(error)
    },
  })

  return {
    stream,
    isWanted: () => wanted && !isOver,
    give,
    end: () => {
      if (isOver) return
      close()
      if (unsaid !== '') stream.push(unsaid)
      stream.push(null)
    },
  }
}
