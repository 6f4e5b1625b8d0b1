import { setTimeout as delay } from 'node:timers/promises'
import { chatBody, chatPath, createClient } from './chat.ts'

const tickMs = 5
/** More than can wait at a time, so that no call waits for a connection. */
const connections = 2_000

export interface SteadyCalls {
  /** From the moment at which each call was due to its answer, in ms: what is late to begin counts, too. */
  run(perSecond: number, forMs: number): Promise<number[]>
  close(): Promise<void>
}

/** Waiting connections that come evenly and whatever becomes of those before them. `user` marks them in a provider's log. */
export const createSteadyCalls = (url: string, user: string): SteadyCalls => {
  const client = createClient(url, connections)
  const text = JSON.stringify({ ...chatBody, user })

  const call = async (dueAt: number): Promise<number> => {
    await client.post(chatPath, text, 200)
    return performance.now() - dueAt
  }

  return {
    run: async (perSecond, forMs) => {
      const startedAt = performance.now()
      const calls: Promise<number>[] = []
      const count = Math.round((perSecond * forMs) / 1_000)
      while (calls.length < count) {
        const due = Math.min(count, ((performance.now() - startedAt) * perSecond) / 1_000)
        while (calls.length < due) calls.push(call(startedAt + (calls.length * 1_000) / perSecond))
        await delay(tickMs)
      }
      return Promise.all(calls)
    },
    close: client.close,
  }
}
