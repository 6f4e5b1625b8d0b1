/** Lets one loop wait for another, but not longer than it has to look for itself. */
export interface WakeSignal {
  wake(): void
  /** Resolves at the next nudge, or after `ms`. */
  wait(ms: number): Promise<void>
}

export const createWakeSignal = (): WakeSignal => {
  const waiting = new Set<() => void>()
  return {
    wake: () => {
      for (const wake of waiting) wake()
    },
    wait: ms =>
      new Promise(resolve => {
        const wake = (): void => {
          clearTimeout(timer)
          waiting.delete(wake)
          resolve()
        }
        const timer = setTimeout(wake, ms)
        waiting.add(wake)
      }),
  }
}
