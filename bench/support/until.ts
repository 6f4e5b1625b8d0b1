import { setTimeout as delay } from 'node:timers/promises'

/** Asks until the answer is yes, every few milliseconds: less than the run-to-run noise of what is measured. */
export const until = async (isSo: () => Promise<boolean>, timeoutMs = 60_000): Promise<void> => {
  const deadline = performance.now() + timeoutMs
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`nothing came of it in ${timeoutMs} ms`)
    await delay(5)
  }
}
