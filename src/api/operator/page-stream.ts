import type { Readable } from 'node:stream'
import { createEventOutlet } from '../streams/event-outlet.ts'

/** Events on their way to one open page. */
export interface PageStream {
  readonly stream: Readable
  /** Whether its connection takes what is sent: a slow page is told less, and never falls further behind. */
  isReady(): boolean
  send(event: string): void
  end(): void
}

const keepaliveMs = 15_000

export const createPageStream = (onClosed: () => void): PageStream => {
  let takesMore = true
  const onReady = (): void => {
    takesMore = true
  }
  const outlet = createEventOutlet({ onReady, onClosed, keepaliveMs })
  return {
    stream: outlet.stream,
    isReady: () => takesMore,
    send: event => {
      takesMore = outlet.write(event)
    },
    end: outlet.end,
  }
}
