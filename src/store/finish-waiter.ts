import type { Redis } from 'ioredis'
import type { Keys } from './keys.ts'

export interface FinishWaiter {
  /**
   * Resolves when the job ends, when `timeoutMs` has passed, or when `signal` aborts: the caller reads the record.
   * `isFinished` is asked once the ear is open, so that an end in between is not missed.
   */
  wait(
    jobId: string,
    timeoutMs: number,
    signal: AbortSignal,
    isFinished: () => Promise<boolean>,
  ): Promise<void>
  stop(): void
}

/** What is published can be lost without a sign: a Cluster's nodes pass it on to each other only as well as they can. */
const lookAgainMs = 15_000

/** Listens for ends of jobs on one subscriber connection, whatever number of requests wait. */
export const createFinishWaiter = (subscriber: Redis, keys: Keys): FinishWaiter => {
  const waiters = new Map<string, Set<() => void>>()

  const wake = (channel: string): void => {
    for (const done of waiters.get(channel) ?? []) done()
  }
  subscriber.on('message', wake)
  // What was published while the connection was down is lost: everyone looks again.
  const wakeAll = (): void => {
    for (const channel of waiters.keys()) wake(channel)
  }
  subscriber.on('ready', wakeAll)

  const listen = async (channel: string, done: () => void): Promise<void> => {
    const others = waiters.get(channel)
    if (others) others.add(done)
    else waiters.set(channel, new Set([done]))
    await subscriber.subscribe(channel)
  }

  const forget = (channel: string, done: () => void): void => {
    const others = waiters.get(channel)
    others?.delete(done)
    if (others?.size !== 0) return
    waiters.delete(channel)
    subscriber.unsubscribe(channel).catch(() => undefined)
  }

  const waitOnce = async (
    channel: string,
    timeoutMs: number,
    signal: AbortSignal,
    isFinished: () => Promise<boolean>,
  ) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, timeoutMs)
    signal.addEventListener('abort', () => resolve(), { once: true })
    try {
      await Promise.race([listen(channel, resolve), promise])
      if (signal.aborted || (await isFinished())) return
      await promise
    } finally {
      clearTimeout(timer)
      forget(channel, resolve)
    }
  }

  return {
    wait: async (jobId, timeoutMs, signal, isFinished) => {
      const endsAt = performance.now() + timeoutMs
      // A reconnection, or the time to look again, comes without an end: those whose job goes on wait again.
      for (;;) {
        const leftMs = endsAt - performance.now()
        if (leftMs <= 0 || signal.aborted) return
        await waitOnce(keys.record(jobId), Math.min(leftMs, lookAgainMs), signal, isFinished)
        if (signal.aborted || (await isFinished())) return
      }
    },
    stop: () => {
      subscriber.off('message', wake)
      subscriber.off('ready', wakeAll)
      wakeAll()
    },
  }
}
