export interface SlotPoolOptions {
  /** How many doorbells may be answered at a time. */
  readonly count: number
  /** Who fetch rings. */
  readonly loops: number
  /** The most doorbells that one fetch may bring. */
  readonly bundleSize: number
  /** How many more there is something to do for now; any number when absent. */
  readonly room?: (() => number) | undefined
  /** Places that are taken and of no use to anyone: as many more are given. */
  readonly idle?: (() => number) | undefined
}

/**
 * A worker's places, and how many of its loops may fetch for them.
 *
 * A loop: fetching → attending (a ring has come) → fetching, or held until there is room.
 */
export interface SlotPool {
  /** A loop has fetched this many doorbells: how many of them have found a place. */
  acquire(doorbells: number): number
  release(): void
  /**
   * A loop has seen to its ring: resolves when it may fetch another, which is when the free places outnumber what the loops
   * that are fetching may bring. So at most one ring at a time comes that does not find room for all its doorbells,
   * and a place that is left is never without a loop that fetches for it.
   */
  whenFree(): Promise<void>
  /** There may be something to do for more. */
  changed(): void
  /** Has no more places to give, and holds nobody. */
  close(): void
  /** Resolves when all places are left. */
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
  // With little room one loop may fetch: what it brings beyond that is rung again.
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
