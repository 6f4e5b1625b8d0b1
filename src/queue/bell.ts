import { setTimeout as delay } from 'node:timers/promises'
import { type Job, Worker } from 'bullmq'
import type { Cluster, Redis } from 'ioredis'
import type { Logger } from 'pino'
import type { Keys } from '../redis/keys.ts'
import { queueName } from './doorbells.ts'
import { letQueuesRunWhenFull } from './when-full.ts'

export interface BellOptions {
  readonly queue: string
  readonly redis: Redis | Cluster
  readonly keys: Keys
  readonly log: Logger
  /** Called when something may wait. It is not called again before what it returns is settled. */
  readonly onRing: () => Promise<void>
  /** A BullMQ job in the queue: one that an older version rang, or that was added by hand. */
  readonly onJob: (job: Job) => Promise<void>
}

/** Sleeps until something waits in a queue. */
export interface Bell {
  start(): void
  readonly isListening: boolean
  /** It rings no more; resolves when the last ring is over. */
  stop(): Promise<void>
}

/** A wake-up may be swallowed by a worker that froze or was cut off: each looks by itself after this. */
const idlePollSeconds = 1
/** How often BullMQ is asked for jobs of its own. */
const ownJobsEveryMs = 1_000
const refusedPauseMs = 500

/**
 * A BullMQ worker as the bell of a ready list: it has BullMQ's blocking read with its watchdog and reconnects, is seen by BullMQ's
 * tools, and fetches no jobs in the usual case. What it builds on, the name of the marker key and two protected methods, is held by
 * `test/queue/bullmq-contract.test.ts`.
 *
 * While a ring is answered it does not listen, so that a busy worker leaves the bell to an idle one.
 */
class BellWorker extends Worker {
  readonly #onRing: () => Promise<void>
  #askedAtMs = Number.NEGATIVE_INFINITY

  constructor({ queue, redis, keys, onRing, onJob }: BellOptions) {
    super(queueName(queue), onJob, {
      connection: redis,
      prefix: keys.prefix,
      concurrency: 1,
      skipStalledCheck: true,
      skipLockRenewal: true,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
      drainDelay: idlePollSeconds,
      // The pause after a lost connection, which a Cluster reports as an error; BullMQ's own pause is 15 s.
      runRetryDelay: 1_000,
      autorun: false,
      skipVersionCheck: true,
    })
    this.#onRing = onRing
  }

  protected override async moveToActive(token: string, name?: string): Promise<Job> {
    await this.#onRing()
    if (performance.now() - this.#askedAtMs < ownJobsEveryMs) return this.nextJobFromJobData()
    this.#askedAtMs = performance.now()
    try {
      return await super.moveToActive(token, name)
    } catch (error) {
      // BullMQ asks again at once when Redis refuses, because it is full or has too few replicas: thousands of times a second.
      await delay(refusedPauseMs)
      throw error
    }
  }
}

export const createBell = (options: BellOptions): Bell => {
  const { queue, redis, log } = options
  letQueuesRunWhenFull(redis)
  const worker = new BellWorker(options)
  worker.on('error', error =>
    log.debug({ event: 'worker.connection_failed', err: error, queue }, 'worker connection failed'),
  )
  let isListening = false

  return {
    start: () => {
      isListening = true
      worker
        .run()
        .catch(error => log.error({ event: 'worker.loop_ended', err: error, queue }, 'worker loop ended'))
        .finally(() => {
          isListening = false
        })
    },
    get isListening() {
      return isListening
    },
    stop: async () => {
      isListening = false
      await worker.pause(true)
      await worker.close()
    },
  }
}
