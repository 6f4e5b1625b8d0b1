import type { Logger } from 'pino'

/** Thrown by `open` when a stop was asked for during the start: what is open is closed, nothing more is opened. */
export class StopRequested extends Error {
  constructor() {
    super('stopped before the start was complete')
    this.name = 'StopRequested'
  }
}

/** Where a stop stands. */
export interface Holdup {
  /** The part that is being closed, or that has not finished opening. */
  readonly part: string
  readonly is: 'opening' | 'closing'
  readonly forMs: number
  /** The parts that wait for it, in the order in which they would be closed. */
  readonly left: readonly string[]
}

/** What a process has open, closed in reverse order. */
export interface Lifecycle {
  /** Opens one thing and remembers how to close it. `leftMs` is what is left of the grace when its turn comes. */
  open<T>(
    name: string,
    open: () => Promise<T> | T,
    close: (value: T, leftMs: () => number, onHurry: OnHurry) => unknown,
  ): Promise<T>
  /**
   * Closes everything, within this time or the grace; resolves when that is done. Safe to call again, also for an earlier end, and
   * while `open` is at work.
   */
  stop(withinMs?: number): Promise<void>
  readonly stopping: boolean
  /** Null while nothing is asked to stop, and when all is closed. */
  readonly holdup: Holdup | null
  /** What is open, the last first. */
  readonly parts: readonly string[]
}

/** Tells a part that is being closed when less time is left than it was told. */
export type OnHurry = (act: () => void) => void

interface Closer {
  readonly name: string
  readonly close: (leftMs: () => number, onHurry: OnHurry) => unknown
}

type Stand = Pick<Holdup, 'part' | 'is'> & { readonly sinceMs: number }

export const createLifecycle = (graceMs: number, log: Logger): Lifecycle => {
  const closers: Closer[] = []
  let opening: Promise<unknown> = Promise.resolve()
  let stopped: Promise<void> | null = null
  let stand: Stand | null = null
  let deadline = Number.POSITIVE_INFINITY
  let hurry: (() => void) | null = null
  const standAt = (part: string, is: Holdup['is']): void => {
    stand = { part, is, sinceMs: performance.now() }
  }

  const closeAll = async (): Promise<void> => {
    const leftMs = (): number => Math.max(0, deadline - performance.now())
    await opening.catch(() => undefined)
    for (let closer = closers.pop(); closer; closer = closers.pop()) {
      standAt(closer.name, 'closing')
      hurry = null
      try {
        await closer.close(leftMs, act => {
          hurry = act
        })
      } catch (error) {
        // One part that does not close must not keep the others open.
        log.error(
          { event: 'shutdown.close_failed', err: error, part: closer.name },
          'part of the process not closed',
        )
      }
    }
    stand = null
  }

  return {
    open: async (name, open, close) => {
      if (stopped) throw new StopRequested()
      standAt(name, 'opening')
      const pending = Promise.resolve(open()).then(value => {
        closers.push({ name, close: (leftMs, onHurry) => close(value, leftMs, onHurry) })
        return value
      })
      opening = pending
      const value = await pending
      if (stopped) throw new StopRequested()
      return value
    },
    stop: (withinMs = graceMs) => {
      const end = performance.now() + withinMs
      const isSooner = end < deadline
      if (isSooner) deadline = end
      if (stopped && isSooner) hurry?.()
      stopped ??= closeAll()
      return stopped
    },
    get stopping() {
      return stopped !== null
    },
    get parts() {
      return closers.map(({ name }) => name).reverse()
    },
    get holdup() {
      if (!stopped || !stand) return null
      const { part, is, sinceMs } = stand
      const left = closers.map(({ name }) => name).reverse()
      return { part, is, forMs: Math.round(performance.now() - sinceMs), left }
    },
  }
}
