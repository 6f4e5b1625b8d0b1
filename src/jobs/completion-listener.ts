import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import { subscribeTo } from '../redis/connect.ts'
import type { Keys } from '../redis/keys.ts'

export interface CompletionListener {
  start(): Promise<void>
  /**
   * Resolves when the job ends or `signal` aborts: the caller reads the record. `hasEnded` is asked where an end may have
   * gone by unheard; of a job that is `fresh`, made just now and not yet rung, nothing can have.
   */
  wait(jobId: string, signal: AbortSignal, hasEnded: () => Promise<boolean>, fresh?: boolean): Promise<void>
  /** The jobs that requests of this process wait for. */
  awaitedJobs(): readonly string[]
  stop(): void
}

/** What is published can be lost without a sign: a Cluster's nodes pass it on to each other only as well as they can. */
const lookAgainMs = 15_000

/** Told `true` by the job's end, and `false` when it is time to look whether it has ended. */
type Wake = (ended: boolean) => void

/**
 * Hears of all ends on one channel, however many requests wait: a channel for each job took two commands for
 * every request, and a look at the record to be sure that it was not too late.
 */
export const createCompletionListener = (subscriber: Redis, keys: Keys, log: Logger): CompletionListener => {
  const waiters = new Map<string, Set<Wake>>()

  const tell = (jobId: string, ended: boolean): void => {
    for (const wake of waiters.get(jobId) ?? []) wake(ended)
  }
  const tellAll = (): void => {
    for (const jobId of waiters.keys()) tell(jobId, false)
  }
  const onEnds = (ids: string): void => {
    if (waiters.size === 0) return
    for (const id of ids.split(' ')) tell(id, true)
  }
  let unsubscribe = (): void => undefined
  // What was published while the connection was down is lost: everyone looks, once it would be heard again.
  const onReady = (): void =>
    void subscriber
      .subscribe(keys.endsChannel)
      .then(tellAll, error =>
        log.debug({ event: 'job_ends.subscribe_failed', err: error }, 'ends of jobs not subscribed to'),
      )
  const lookingAgain = setInterval(tellAll, lookAgainMs)

  const enter = (jobId: string, wake: Wake): void => {
    const others = waiters.get(jobId)
    if (others) others.add(wake)
    else waiters.set(jobId, new Set([wake]))
  }
  const leave = (jobId: string, wake: Wake): void => {
    const others = waiters.get(jobId)
    others?.delete(wake)
    if (others?.size === 0) waiters.delete(jobId)
  }

  return {
    start: async () => {
      subscriber.on('ready', onReady)
      unsubscribe = await subscribeTo(subscriber, keys.endsChannel, onEnds)
    },
    wait: async (jobId, signal, hasEnded, fresh = false) => {
      let { promise: told, resolve: wake } = Promise.withResolvers<boolean>()
      const entry: Wake = ended => wake(ended)
      const abort = (): void => wake(true)
      signal.addEventListener('abort', abort, { once: true })
      enter(jobId, entry)
      try {
        if (!fresh) wake(false)
        while (!signal.aborted && !(await told)) {
          // Renewed before the question, so that an end that is published meanwhile counts.
          ;({ promise: told, resolve: wake } = Promise.withResolvers<boolean>())
          if (await hasEnded()) return
        }
      } finally {
        leave(jobId, entry)
        signal.removeEventListener('abort', abort)
      }
    },
    awaitedJobs: () => [...waiters.keys()],
    stop: () => {
      clearInterval(lookingAgain)
      unsubscribe()
      subscriber.off('ready', onReady)
      tellAll()
    },
  }
}
