import type { Doorbells } from './doorbells.ts'

/** Younger calls may stand between two steps of their worker. */
export const settledAfterMs = 60_000

/**
 * Whether a doorbell that was rung at a time may still be in a ring of its queue. Nobody can tell which rings it is in, but those
 * that were rung before the oldest that waits have been seen to. Asks each queue once.
 */
export const createMayRing = (doorbells: Pick<Doorbells, 'oldestRungAt'>) => {
  const asked = new Map<string, Promise<number | null>>()
  const oldestRungAt = (queue: string): Promise<number | null> => {
    const answer = asked.get(queue) ?? doorbells.oldestRungAt(queue)
    asked.set(queue, answer)
    return answer
  }
  return async (queue: string, rungAtMs: number): Promise<boolean> => {
    const oldestMs = await oldestRungAt(queue)
    return oldestMs !== null && oldestMs <= rungAtMs + settledAfterMs
  }
}
