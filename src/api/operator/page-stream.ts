import type { Readable } from 'node:stream'
import { createEventOutlet } from '../streams/event-outlet.ts'

/** Events on their way to one open page. */
export interface PageStream {
  readonly stream: Readable
  /**
   * Sends an event, now or as soon as the connection takes it. Of what waits with the same name only the newest is sent: a slow page
   * is behind, and never ever further behind.
   */
  offer(name: string, event: string): void
  end(): void
}

const keepaliveMs = 15_000

export const createPageStream = (onClosed: () => void): PageStream => {
  const waiting = new Map<string, string>()
  let isReady = true

  const flush = (): void => {
    isReady = true
    for (const [name, event] of waiting) {
      waiting.delete(name)
      isReady = outlet.write(event)
      if (!isReady) return
    }
  }
  const outlet = createEventOutlet({ onReady: flush, onClosed, keepaliveMs })

  return {
    stream: outlet.stream,
    offer: (name, event) => {
      if (isReady) isReady = outlet.write(event)
      else waiting.set(name, event)
    },
    end: outlet.end,
  }
}
