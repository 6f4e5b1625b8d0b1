import { setTimeout as delay } from 'node:timers/promises'

export interface Patience {
  readonly timeoutMs?: number
  /** Between two looks. */
  readonly everyMs?: number
  /** What is waited for, for the message; the text of the condition itself when absent. */
  readonly what?: string
}

/**
 * Looks until `condition` answers something truthy, and resolves with that. Throws when the time is over. A number is
 * `timeoutMs`.
 */
export const until = async <T>(
  condition: () => T | Promise<T>,
  patience: Patience | number = {},
): Promise<Exclude<T, null | undefined | false>> => {
  const {
    timeoutMs = 45_000,
    everyMs = 10,
    what = String(condition),
  } = typeof patience === 'number' ? { timeoutMs: patience } : patience
  const endsAt = performance.now() + timeoutMs
  for (;;) {
    const answer = await condition()
    if (answer) return answer as Exclude<T, null | undefined | false>
    if (performance.now() > endsAt) throw new Error(`not so within ${timeoutMs} ms: ${what}`)
    await delay(everyMs)
  }
}
