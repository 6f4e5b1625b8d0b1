/** The same figures from 0 to 1 each time (Lehmer's generator, `MINSTD` of C++). */
export const seededRandom = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

/** Timers that go off as fast as what they start is done. Times are Unix ms. */
export interface SimulatedTime {
  readonly now: () => number
  /** Lets all timers up to then go off; after each it waits for what that started. */
  runUntil(untilMs: number, settle: () => Promise<void>): Promise<void>
  end(): void
}

interface Timer {
  readonly atMs: number
  run: (() => void) | null
}

/** Takes the place of this process's timers until it ends. */
export const createSimulatedTime = (startMs: number): SimulatedTime => {
  const { setTimeout, clearTimeout } = globalThis
  const timers: Timer[] = []
  let nowMs = startMs

  const add = (run: () => void, ms = 0): Timer => {
    const timer: Timer = { atMs: nowMs + Math.max(0, ms), run }
    const later = timers.findLastIndex(({ atMs }) => atMs <= timer.atMs) + 1
    timers.splice(later, 0, timer)
    return timer
  }
  const clear = (timer: Timer | null): void => {
    if (timer) timer.run = null
  }
  Object.assign(globalThis, { setTimeout: add, clearTimeout: clear })

  return {
    now: () => nowMs,
    runUntil: async (untilMs, settle) => {
      await settle()
      while (timers.length > 0 && timers[0]!.atMs <= untilMs) {
        const { atMs, run } = timers.shift()!
        nowMs = atMs
        if (!run) continue
        run()
        await settle()
      }
      nowMs = untilMs
    },
    end: () => void Object.assign(globalThis, { setTimeout, clearTimeout }),
  }
}
