import { setTimeout as delay } from 'node:timers/promises'

/** Waits until `probe` answers something truthy, and answers it. Throws after `timeoutMs`. */
export const until = async <T>(
  probe: () => T | Promise<T>,
  timeoutMs = 45_000,
): Promise<Exclude<T, null | undefined | false>> => {
  const endsAt = performance.now() + timeoutMs
  for (;;) {
    const answer = await probe()
    if (answer) return answer as Exclude<T, null | undefined | false>
    if (performance.now() > endsAt) throw new Error(`condition not met within ${timeoutMs} ms: ${probe}`)
    await delay(10)
  }
}
