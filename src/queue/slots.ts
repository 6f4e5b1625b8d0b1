export interface SlotsOptions {
  /** How many doorbells may be answered at a time. */
  readonly count: number
  /** How many more there is something to do for now; any number when absent. */
  readonly room?: (() => number) | undefined
  /** Slots that are taken and of no use to anyone: as many more are given, up to twice as many in all. */
  readonly idle?: (() => number) | undefined
}

/** A worker's slots: each doorbell that it answers has one. */
export interface Slots {
  /** How many could be taken now. */
  readonly free: number
  readonly taken: number
  take(count: number): void
  release(count?: number): void
  /** Gives no more. */
  close(): void
  /** Resolves when all are free. */
  empty(): Promise<void>
}

export const createSlots = ({ count, room, idle = () => 0 }: SlotsOptions): Slots => {
  const waiting: (() => void)[] = []
  let taken = 0
  let closed = false

  return {
    get free() {
      if (closed) return 0
      const left = count + Math.min(count, idle()) - taken
      return Math.max(0, Math.floor(room ? Math.min(left, room()) : left))
    },
    get taken() {
      return taken
    },
    take: some => {
      taken += some
    },
    release: (some = 1) => {
      taken -= some
      if (taken === 0) for (const resolve of waiting.splice(0)) resolve()
    },
    close: () => {
      closed = true
    },
    empty: () => (taken === 0 ? Promise.resolve() : new Promise(resolve => waiting.push(resolve))),
  }
}
