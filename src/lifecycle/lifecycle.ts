import type { Logger } from 'pino'

/** Thrown by `open` when a stop was asked for during the start: what is open is closed, nothing more is opened. */
export class StopRequested extends Error {
  constructor() {
    super('stopped before the start was complete')
    this.name = 'StopRequested'
  }
}

/** What a process has open, closed in reverse order. */
export interface Lifecycle {
  /** Opens one thing and remembers how to close it. `leftMs` is what is left of the grace when its turn comes. */
  open<T>(
    name: string,
    open: () => Promise<T> | T,
    close: (value: T, leftMs: () => number) => unknown,
  ): Promise<T>
  /** Closes everything; resolves when that is done. Safe to call twice, or while `open` is at work. */
  stop(): Promise<void>
  readonly stopping: boolean
}

interface Closer {
  readonly name: string
  readonly close: (leftMs: () => number) => unknown
}

export const createLifecycle = (graceMs: number, log: Logger): Lifecycle => {
  const closers: Closer[] = []
  let opening: Promise<unknown> = Promise.resolve()
  let stopped: Promise<void> | null = null

  const closeAll = async (): Promise<void> => {
    const deadline = performance.now() + graceMs
    const leftMs = (): number => Math.max(0, deadline - performance.now())
    await opening.catch(() => undefined)
    for (let closer = closers.pop(); closer; closer = closers.pop()) {
      try {
        await closer.close(leftMs)
      } catch (error) {
        // One part that does not close must not keep the others open.
        log.error({ event: 'part.close_failed', err: error, part: closer.name }, 'part not closed')
      }
    }
  }

  return {
    open: async (name, open, close) => {
      if (stopped) throw new StopRequested()
      const pending = Promise.resolve(open()).then(value => {
        closers.push({ name, close: leftMs => close(value, leftMs) })
        return value
      })
      opening = pending
      const value = await pending
      if (stopped) throw new StopRequested()
      return value
    },
    stop: () => {
      stopped ??= closeAll()
      return stopped
    },
    get stopping() {
      return stopped !== null
    },
  }
}
