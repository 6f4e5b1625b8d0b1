import { until } from '../../harness/until.ts'
import type { Client, Order } from './client.ts'

/** Clients that send an order again, under its key, until it is accepted. */
export interface Senders {
  /** The ids of the accepted jobs, by user. */
  readonly ids: ReadonlyMap<string, string>
  /** Resolves when all are accepted. */
  readonly done: Promise<unknown>
}

const patienceMs = 30_000

/** Some at a time, so that Redis is lost in the midst of it. */
export const sendPatiently = (
  client: Client,
  users: readonly string[],
  order: Omit<Order, 'user' | 'key'>,
  atOnce = 15,
): Senders => {
  const left = [...users]
  const ids = new Map<string, string>()
  const send = async (): Promise<void> => {
    for (let user = left.pop(); user !== undefined; user = left.pop()) {
      const whole = { ...order, user, key: user }
      ids.set(user, await until(() => client.submit(whole), patienceMs))
    }
  }
  return { ids, done: Promise.all(Array.from({ length: atOnce }, send)) }
}

export const usersOf = (count: number, name = 'user'): string[] =>
  Array.from({ length: count }, (_, i) => `${name}-${i}`)
