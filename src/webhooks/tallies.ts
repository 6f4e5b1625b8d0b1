import type { Cluster, Redis } from 'ioredis'

/** What one receiver took and did not take within the last hour; an attempt that gave a webhook up is a failed one. */
export interface Tally {
  readonly delivered: number
  readonly failed: number
}

export interface ReceiverTallies {
  /** Counts an attempt that has ended, in this process. */
  note(receiver: string, isDelivered: boolean): void
  /** Adds what was counted to what all processes have. */
  flush(): Promise<void>
  /** By the origins of receivers, over all processes. */
  read(): Promise<ReadonlyMap<string, Tally>>
}

/** An hour is twelve of these: what is read is of 55 minutes at least. */
const slotMs = 300_000
const slotsRead = 12
const keptMs = (slotsRead + 2) * slotMs
/** Clients choose receivers: a process counts those that it meets first in a slot. */
const mostReceivers = 500

export const createReceiverTallies = ({
  redis,
  prefix,
  now,
}: {
  readonly redis: Redis | Cluster
  readonly prefix: string
  readonly now: () => number
}): ReceiverTallies => {
  const keyOf = (slot: number): string => `${prefix}:{health}:receivers:${slot}`
  const slotNow = (): number => Math.floor(now() / slotMs)
  let counted = new Map<string, number>()
  let met = new Set<string>()
  let metIn = slotNow()

  const add = (field: string, count: number): void => {
    counted.set(field, (counted.get(field) ?? 0) + count)
  }

  return {
    note: (receiver, isDelivered) => {
      if (metIn !== slotNow()) [met, metIn] = [new Set(), slotNow()]
      if (met.size >= mostReceivers && !met.has(receiver)) return
      met.add(receiver)
      add(`${isDelivered ? 'd' : 'f'}${receiver}`, 1)
    },
    flush: async () => {
      if (counted.size === 0) return
      const [key, taken] = [keyOf(slotNow()), counted]
      counted = new Map()
      const commands = redis.multi()
      for (const [field, count] of taken) commands.hincrby(key, field, count)
      try {
        await commands.pexpire(key, keptMs).exec()
      } catch (error) {
        // Where the reply was lost they are counted twice, and not never.
        for (const [field, count] of taken) add(field, count)
        throw error
      }
    },
    read: async () => {
      const last = slotNow()
      const slots = await Promise.all(
        Array.from({ length: slotsRead }, (_, i) => redis.hgetall(keyOf(last - i))),
      )
      const tallies = new Map<string, { delivered: number; failed: number }>()
      for (const [field, count] of slots.flatMap(slot => Object.entries(slot))) {
        const receiver = field.slice(1)
        const tally = tallies.get(receiver) ?? { delivered: 0, failed: 0 }
        tally[field.startsWith('d') ? 'delivered' : 'failed'] += Number(count)
        tallies.set(receiver, tally)
      }
      return tallies
    },
  }
}
