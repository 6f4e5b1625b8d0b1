import { type Job, Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import type { Keys } from '../store/keys.ts'
import { queueName } from './doorbells.ts'
import { holdWrites } from './hold-writes.ts'

export interface ConsumerOptions {
  readonly queue: string
  readonly concurrency: number
  /** How long a silent worker keeps its doorbells: the time in which a crash is noticed. */
  readonly lockMs: number
  readonly redis: Redis
  readonly keys: Keys
  readonly log: Logger
  /** Answers a doorbell. `redelivered`: BullMQ gave it out before, to a worker that went silent. */
  readonly answer: (doorbell: string, redelivered: boolean) => Promise<void>
}

export interface Consumer {
  start(): void
  /**
   * Takes no more doorbells, lets running ones end until `graceMs`, then calls `handBack` to make them end at
   * once. May be called twice: the second call waits for the first.
   */
  stop(graceMs: number, handBack: () => void): Promise<void>
}

/** Doorbells are found stalled by the workers of their queue, this often. */
const stalledCheckMs = 5_000
const idlePollSeconds = 1

/** A BullMQ worker that treats its jobs as doorbells: how they end in BullMQ tells nothing. */
export const createConsumer = ({
  queue,
  concurrency,
  lockMs,
  redis,
  keys,
  log,
  answer,
}: ConsumerOptions): Consumer => {
  const worker = new Worker(
    queueName(queue),
    async (job: Job) => {
      try {
        await answer(job.id!, job.attemptsStarted > 1)
      } catch (error) {
        // The record still says that the job runs; the patrol will find that nobody does.
        log.error({ err: error, doorbell: job.id, queue }, 'doorbell not answered')
      }
      // Jobs are finalised together, so their doorbells end in one turn, and BullMQ writes a command for each.
      holdWrites(redis, process.nextTick)
    },
    {
      connection: redis,
      prefix: keys.prefix,
      concurrency,
      lockDuration: lockMs,
      stalledInterval: Math.min(stalledCheckMs, lockMs / 2),
      // BullMQ fails a job for good at the second stall by default; the attempt budget bounds a poison job here.
      maxStalledCount: 1e9,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
      // A worker that is frozen or cut off can swallow the wake-up meant for another: that one looks again after this.
      drainDelay: idlePollSeconds,
      autorun: false,
      skipVersionCheck: true,
    },
  )
  worker.on('error', error => log.debug({ err: error, queue }, 'worker connection error'))

  const drain = async (graceMs: number, handBack: () => void): Promise<void> => {
    await worker.pause(true)
    const timer = setTimeout(handBack, graceMs)
    await worker.close()
    clearTimeout(timer)
  }
  let stopping: Promise<void> | null = null

  return {
    start: () => {
      worker.run().catch(error => log.error({ err: error, queue }, 'worker loop ended'))
    },
    stop: (graceMs, handBack) => {
      stopping ??= drain(graceMs, handBack)
      return stopping
    },
  }
}
