import type { Redis } from 'ioredis'
import type { Keys } from '../redis/keys.ts'

/** Bytes of a streamed answer: whole events, from a byte offset on, as one run of its job had them. */
export interface StreamBytes {
  readonly jobId: string
  readonly run: string
  readonly offset: number
  readonly bytes: Buffer
}

export interface StreamListener {
  take(bytes: StreamBytes): void
  /** Something may have gone by unheard. */
  lookAgain(): void
}

/** Passes streamed bytes to the connections of this process that read them. */
export interface StreamHub {
  start(): Promise<void>
  /** From a worker of this process, or from the channel. */
  deliver(bytes: StreamBytes): void
  /** Returns how to stop listening. */
  listen(jobId: string, listener: StreamListener): () => void
  /** Whether a connection of this process reads the job. */
  isRead(jobId: string): boolean
  stop(): void
}

const newline = 10

/** A message is, again and again: `<job> <run> <offset> <bytes>`, a line feed, and the bytes. */
export const parseMessage = (message: Buffer): StreamBytes[] => {
  const parts: StreamBytes[] = []
  for (let at = 0; at < message.length; ) {
    const end = message.indexOf(newline, at)
    const [jobId, run, offset, size] = message.toString('latin1', at, end).split(' ') as [
      string,
      string,
      string,
      string,
    ]
    at = end + 1 + Number(size)
    parts.push({ jobId, run, offset: Number(offset), bytes: message.subarray(end + 1, at) })
  }
  return parts
}

/**
 * One channel for each process, which readers' processes put into the record of the job: on a channel for all, each process
 * would pay for every token of every other's.
 */
export const createStreamHub = (subscriber: Redis, keys: Keys, instance: string): StreamHub => {
  const listeners = new Map<string, Set<StreamListener>>()
  const channel = keys.streamChannel(instance)
  const name = Buffer.from(channel)

  const deliver = (bytes: StreamBytes): void => {
    for (const listener of listeners.get(bytes.jobId) ?? []) listener.take(bytes)
  }
  const onMessage = (from: Buffer, message: Buffer): void => {
    if (from.equals(name)) for (const bytes of parseMessage(message)) deliver(bytes)
  }
  // ioredis subscribes again by itself; what was published meanwhile is lost.
  const onReady = (): void => {
    for (const all of listeners.values()) for (const listener of all) listener.lookAgain()
  }

  return {
    start: async () => {
      subscriber.on('messageBuffer', onMessage)
      subscriber.on('ready', onReady)
      await subscriber.subscribe(channel)
    },
    deliver,
    listen: (jobId, listener) => {
      const all = listeners.get(jobId) ?? new Set()
      listeners.set(jobId, all.add(listener))
      return () => {
        all.delete(listener)
        if (all.size === 0 && listeners.get(jobId) === all) listeners.delete(jobId)
      }
    },
    isRead: jobId => listeners.has(jobId),
    stop: () => {
      subscriber.off('messageBuffer', onMessage)
      subscriber.off('ready', onReady)
    },
  }
}
