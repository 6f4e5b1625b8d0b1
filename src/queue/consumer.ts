import { setTimeout as delay } from 'node:timers/promises'
import type { Job } from 'bullmq'
import type { Cluster, Redis } from 'ioredis'
import type { Logger } from 'pino'
import type { Keys } from '../redis/keys.ts'
import { type Doorbells, doorbellsOf, queueName, ringSize } from './doorbells.ts'
import { holdWrites } from './hold-writes.ts'
import { PatientWorker } from './patient-worker.ts'
import { createPlaces } from './slot-pool.ts'
import { letQueuesRunWhenFull } from './when-full.ts'

export interface ConsumerOptions {
  readonly queue: string
  /** How many doorbells are answered at a time. */
  readonly concurrency: number
  /** How long a silent worker keeps a ring that it has not seen to. */
  readonly lockMs: number
  readonly redis: Redis | Cluster
  readonly doorbells: Doorbells
  readonly keys: Keys
  readonly log: Logger
  /** How many more doorbells there is something to do for now, and who is told when it may be more. */
  readonly room?: {
    readonly left: () => number
    /** How many of those being answered only hang: as many more are taken, up to twice as many at a time. */
    readonly idle?: () => number
    readonly onChange: (listener: () => void) => void
  }
  /**
   * Answers a doorbell. `taken` is called once the record says who answers it: from then on BullMQ need not keep it. If it
   * is not called, BullMQ keeps the doorbell to the end, and gives it to another when this worker falls silent.
   */
  readonly answer: (doorbell: string, taken: () => void) => Promise<void>
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

/** Rings that their worker never saw to are found by the workers of their queue, this often. */
const stalledCheckMs = 5_000
const idlePollSeconds = 1
const refusedPauseMs = 500

/**
 * A BullMQ worker that treats its jobs as rings of one or several doorbells: how they end in BullMQ tells nothing.
 *
 * It takes as many doorbells of a ring as it has places, and rings the others again at once, where they were: none waits
 * here while another worker has a place. Each of its loops fetches a ring, sees to it, and fetches the next when there is room.
 */
export const createConsumer = (options: ConsumerOptions): Consumer => {
  const { queue, concurrency, lockMs, redis, doorbells, keys, log } = options
  letQueuesRunWhenFull(redis)
  // Not one more than could all have a full ring: it would hold an empty hand for ever.
  const loops = Math.ceil(concurrency / ringSize)
  const places = createPlaces({
    count: concurrency,
    loops,
    ringSize,
    room: options.room?.left,
    idle: options.room?.idle,
  })
  options.room?.onChange(places.changed)

  const answer = (doorbell: string): Promise<void> =>
    new Promise(taken => {
      options
        .answer(doorbell, taken)
        // The record still says that the job waits or runs; the patrol will find that nobody sees to it.
        .catch(error =>
          log.error({ event: 'doorbell.failed', err: error, doorbell, queue }, 'doorbell failed'),
        )
        .finally(() => {
          places.leave()
          taken()
        })
    })

  /** What Redis refuses now is asked of it again: BullMQ must not drop the ring before. */
  const ringBack = async (others: readonly string[], ring: Job): Promise<void> => {
    for (;;) {
      try {
        return await doorbells.ringBack(queue, others, ring)
      } catch (error) {
        log.debug(
          { event: 'doorbells.return_failed', err: error, queue },
          'doorbells not returned to the queue, trying again',
        )
        await delay(refusedPauseMs)
      }
    }
  }

  const attend = async (ring: Job): Promise<void> => {
    const all = doorbellsOf(ring)
    const mine = all.slice(0, places.take(all.length))
    const others = all.slice(mine.length)
    await Promise.all([others.length > 0 && ringBack(others, ring), ...mine.map(answer)])
    await places.room()
    // Rings that end in one turn end together, and BullMQ writes a command for each.
    holdWrites(redis, process.nextTick)
  }

  const worker = new PatientWorker(queueName(queue), attend, {
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
    // After a lost connection, of which a Cluster tells; BullMQ's own pause is 15 s.
    runRetryDelay: 1_000,
    autorun: false,
    skipVersionCheck: true,
  })
  worker.on('error', error =>
    log.debug({ event: 'worker.connection_failed', err: error, queue }, 'worker connection failed'),
  )

  const drain = async (graceMs: number, handBack: () => void): Promise<void> => {
    await worker.pause(true)
    places.close()
    const timer = setTimeout(handBack, graceMs)
    await places.empty()
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
