import type { CallSignal } from '../domain/interrupt.ts'

/** Resolves after the time, or `sooner`, or at once when the call is interrupted. */
export const pause = (ms: number, signal: CallSignal, sooner?: Promise<void>): Promise<void> =>
  new Promise(resolve => {
    let isOver = false
    const end = (): void => {
      // What ends it later must not touch what listens by then.
      if (isOver) return
      isOver = true
      clearTimeout(timer)
      signal.onabort = null
      resolve()
    }
    const timer = setTimeout(end, ms)
    void sooner?.then(end)
    if (signal.aborted) end()
    else signal.onabort = end
  })
