export interface SlotPoolOptions {
  /** How many doorbells may be answered at a time. */
  readonly count: number
  /** The loops that fetch BullMQ jobs. */
  readonly loops: number
  /** The most doorbells that one fetch may bring. */
  readonly bundleSize: number
  /** How many more there is something to do for now; any number when absent. */
  readonly room?: (() => number) | undefined
  /** Places that are taken and of no use to anyone: as many more are given. */
  readonly idle?: (() => number) | undefined
}

/**
 * A worker's slots, and how many of its loops may fetch for them.
 *
 * A loop: fetching → attending (a BullMQ job has come) → fetching, or held until slots are free.
 */
export interface SlotPool {
  /** A loop has fetched this many doorbells: returns how many of them got a slot. */
  acquire(doorbells: number): number
  release(): void
  /**
   * A loop has answered its BullMQ job: resolves when it may fetch another, which is when the free slots
   * outnumber what the loops that are fetching may bring. So at most one BullMQ job at a time brings more
   * doorbells than there are slots, and a free slot always has a loop that fetches for it.
   */
  whenFree(): Promise<void>
  /** There may be something to do for more. */
  changed(): void
  /** Gives no more slots, and holds no loop. */
  close(): void
  /** Resolves when all slots are free. */
  empty(): Promise<void>
}

export const createSlotPool = ({
  count,
  loops,
  bundleSize: ringSize,
  room,
  idle = () => 0,
}: SlotPoolOptions): SlotPool => {
  const held: (() => void)[] = []
  const waiting: (() => void)[] = []
  let fetching = loops
  let taken = 0
  let closed = false

  const free = (): number => {
    if (closed) return 0
    const left = count + Math.min(count, idle()) - taken
    return Math.max(0, room ? Math.min(left, room()) : left)
  }
  // With few free slots one loop may fetch: the doorbells beyond those are rung again.
  const isRoom = (): boolean => closed || free() > fetching * ringSize
  const letGo = (): void => {
    while (held.length > 0 && isRoom()) {
      fetching += 1
      held.shift()!()
    }
  }

  return {
    acquire: doorbells => {
      const found = Math.min(doorbells, free())
      fetching -= 1
      taken += found
      return found
    },
    release: () => {
      taken -= 1
      letGo()
      if (taken === 0) for (const resolve of waiting.splice(0)) resolve()
    },
    whenFree: () =>
      new Promise(resolve => {
        held.push(resolve)
        letGo()
      }),
    changed: letGo,
    close: () => {
      closed = true
      letGo()
    },
    empty: () => (taken === 0 ? Promise.resolve() : new Promise(resolve => waiting.push(resolve))),
  }
}
