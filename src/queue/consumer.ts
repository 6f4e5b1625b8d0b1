import { setTimeout as delay } from 'node:timers/promises'
import type { Job } from 'bullmq'
import { Worker } from 'bullmq'
import type { Cluster, Redis } from 'ioredis'
import type { Logger } from 'pino'
import type { Keys } from '../redis/keys.ts'
import { bundleSize, type Doorbells, doorbellsOf, holdWrites, queueName } from './doorbells.ts'
import { createSlotPool } from './slot-pool.ts'
import { letQueuesRunWhenFull } from './when-full.ts'

/**
 * BullMQ asks for work again at once when Redis refuses to give any, because it is full or has too few replicas: thousands
 * of times a second. This one takes a breath.
 */
class PatientWorker extends Worker {
  protected override async moveToActive(token: string, name?: string): Promise<Job> {
    try {
      return await super.moveToActive(token, name)
    } catch (error) {
      await delay(refusedPauseMs)
      throw error
    }
  }
}

export interface ConsumerOptions {
  readonly queue: string
  /** How many doorbells are answered at a time. */
  readonly concurrency: number
  /** How long a silent worker keeps a bundle that it has not processed. */
  readonly lockMs: number
  readonly redis: Redis | Cluster
  readonly doorbells: Doorbells
  readonly keys: Keys
  readonly log: Logger
  /** How many more doorbells can be served now, and how to hear when it may be more. */
  readonly room?: {
    readonly left: () => number
    /** How many of those being answered only hang: as many more are taken, up to twice as many at a time. */
    readonly idle?: () => number
    readonly onChange: (listener: () => void) => void
  }
  /**
   * Handles a doorbell. `onClaimed` is called once the record says which worker handles it: from then on BullMQ need not keep
   * it. Without that call BullMQ keeps the doorbell to the end, and gives it to another worker when this one falls silent.
   */
  readonly handle: (doorbell: string, onClaimed: () => void) => Promise<void>
}

export interface Consumer {
  start(): void
  /** It takes doorbells. */
  readonly isRunning: boolean
  /**
   * Takes no more doorbells, lets running ones end until `graceMs`, then calls `handBack` to make them end at
   * once. May be called twice: the second call waits for the first.
   */
  stop(graceMs: number, handBack: () => void): Promise<void>
}

/** Bundles that their worker never processed are found by the workers of their queue, this often. */
const stalledCheckMs = 5_000
const idlePollSeconds = 1
const refusedPauseMs = 500

/**
 * A BullMQ worker whose jobs are bundles of one or several doorbells: how they end in BullMQ says nothing.
 *
 * It takes as many doorbells of a bundle as it has free slots and returns the others to the front of their queue, so that no
 * job waits at a busy worker. Each of its loops fetches a bundle, processes it, and fetches the next when slots are free.
 */
export const createConsumer = (options: ConsumerOptions): Consumer => {
  const { queue, concurrency, lockMs, redis, doorbells, keys, log } = options
  letQueuesRunWhenFull(redis)
  // At most ceil(concurrency / bundleSize) loops: one more would never get a slot.
  const loops = Math.ceil(concurrency / bundleSize)
  const slots = createSlotPool({
    count: concurrency,
    loops,
    bundleSize,
    room: options.room?.left,
    idle: options.room?.idle,
  })
  options.room?.onChange(slots.changed)

  const handle = (doorbell: string): Promise<void> =>
    new Promise(onClaimed => {
      options
        .handle(doorbell, onClaimed)
        // The record still says that the job waits or runs; the reconciler will find that no worker has it.
        .catch(error =>
          log.error({ event: 'doorbell.failed', err: error, doorbell, queue }, 'doorbell failed'),
        )
        .finally(() => {
          slots.release()
          onClaimed()
        })
    })

  /** What Redis refuses now is asked of it again: BullMQ must not drop the bundle before. */
  const returnToQueue = async (others: readonly string[], bundle: Job): Promise<void> => {
    for (;;) {
      try {
        return await doorbells.returnToQueue(queue, others, bundle)
      } catch (error) {
        log.debug(
          { event: 'doorbells.return_failed', err: error, queue },
          'doorbells not returned to the queue, trying again',
        )
        await delay(refusedPauseMs)
      }
    }
  }

  const processBundle = async (bundle: Job): Promise<void> => {
    const all = doorbellsOf(bundle)
    const mine = all.slice(0, slots.acquire(all.length))
    const others = all.slice(mine.length)
    await Promise.all([others.length > 0 && returnToQueue(others, bundle), ...mine.map(handle)])
    await slots.whenFree()
    // Bundles that end in one turn end together, and BullMQ writes a command for each.
    holdWrites(redis, process.nextTick)
  }

  const worker = new PatientWorker(queueName(queue), processBundle, {
    connection: redis,
    prefix: keys.prefix,
    concurrency: loops,
    lockDuration: lockMs,
    stalledInterval: Math.min(stalledCheckMs, lockMs / 2),
    // BullMQ fails a job for good at the second stall by default; the attempt budget bounds a poison job here.
    maxStalledCount: 1e9,
    removeOnComplete: { count: 0 },
    removeOnFail: { count: 0 },
    // A worker that is frozen or cut off can swallow the wake-up meant for another: that one looks again after this.
    drainDelay: idlePollSeconds,
    // The pause after a lost connection, which a Cluster reports as an error; BullMQ's own pause is 15 s.
    runRetryDelay: 1_000,
    autorun: false,
    skipVersionCheck: true,
  })
  worker.on('error', error =>
    log.debug({ event: 'worker.connection_failed', err: error, queue }, 'worker connection failed'),
  )

  const drain = async (graceMs: number, handBack: () => void): Promise<void> => {
    await worker.pause(true)
    slots.close()
    const timer = setTimeout(handBack, graceMs)
    await slots.empty()
    await worker.close()
    clearTimeout(timer)
  }
  let isRunning = false
  let stopping: Promise<void> | null = null

  return {
    start: () => {
      isRunning = true
      worker
        .run()
        .catch(error => log.error({ event: 'worker.loop_ended', err: error, queue }, 'worker loop ended'))
        .finally(() => {
          isRunning = false
        })
    },
    get isRunning() {
      return isRunning
    },
    stop: (graceMs, handBack) => {
      isRunning = false
      stopping ??= drain(graceMs, handBack)
      return stopping
    },
  }
}
