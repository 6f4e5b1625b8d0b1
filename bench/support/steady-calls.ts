import { setTimeout as delay } from 'node:timers/promises'
import { chatBody, chatPath, createClient } from './chat.ts'

const tickMs = 5
/** More than can wait at a time, so that no call waits for a connection. */
const connections = 2_000

/** A call that was answered. Times are Unix ms, with fractions. */
export interface SteadyCall {
  /** Its identity in a provider's log. */
  readonly mark: string
  /** When it should have begun: what is late to begin counts, too. */
  readonly dueAtMs: number
  readonly answeredAtMs: number
}

export interface SteadyCalls {
  run(perSecond: number, forMs: number): Promise<SteadyCall[]>
  close(): Promise<void>
}

const now = (): number => performance.timeOrigin + performance.now()

/** Waiting connections that come evenly, whatever becomes of those before them. Their marks begin with `prefix`. */
export const createSteadyCalls = (url: string, prefix: string): SteadyCalls => {
  const client = createClient(url, connections)
  let made = 0

  const call = async (dueAtMs: number): Promise<SteadyCall> => {
    const mark = `${prefix}${++made}`
    await client.post(chatPath, JSON.stringify({ ...chatBody, user: mark }), 200)
    return { mark, dueAtMs, answeredAtMs: now() }
  }

  return {
    run: async (perSecond, forMs) => {
      const startedAtMs = now()
      const calls: Promise<SteadyCall>[] = []
      const count = Math.round((perSecond * forMs) / 1_000)
      while (calls.length < count) {
        const due = Math.min(count, ((now() - startedAtMs) * perSecond) / 1_000)
        while (calls.length < due) calls.push(call(startedAtMs + (calls.length * 1_000) / perSecond))
        await delay(tickMs)
      }
      return Promise.all(calls)
    },
    close: client.close,
  }
}
