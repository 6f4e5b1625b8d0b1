import type { CallSignal } from '../domain/interrupt.ts'

/** Resolves after the time, or at once when the call is interrupted. */
export const pause = (ms: number, signal: CallSignal): Promise<void> =>
  new Promise(resolve => {
    const end = (): void => {
      clearTimeout(timer)
      signal.onabort = null
      resolve()
    }
    const timer = setTimeout(end, ms)
    if (signal.aborted) end()
    else signal.onabort = end
  })
