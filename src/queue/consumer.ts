import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Job } from 'bullmq'
import type { Cluster, Redis } from 'ioredis'
import type { Logger } from 'pino'
import type { Keys } from '../redis/keys.ts'
import { createBell } from './bell.ts'
import { createClaimedChunks } from './claimed-chunks.ts'
import type { Doorbells } from './doorbells.ts'
import { createSlots } from './slots.ts'

export interface ConsumerOptions {
  readonly queue: string
  /** How many doorbells are answered at a time. */
  readonly concurrency: number
  readonly redis: Redis | Cluster
  readonly doorbells: Pick<Doorbells, 'take'>
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
   * Handles a doorbell. `onClaimed` is called once the record says which worker handles it: from then on the ready list need not keep
   * it. Without that call within 5 s, or the end of this, it is given to another worker as well.
   */
  readonly handle: (doorbell: string, onClaimed: () => void) => Promise<void>
  /** Puts the doorbells of a BullMQ job, named by it, into the ready list. */
  readonly adopt?: (doorbells: readonly string[]) => Promise<void>
}

export interface Consumer {
  start(): void
  /** It takes doorbells. */
  readonly isRunning: boolean
  /**
   * Takes a slot for a job that does not come from the queue; returns what releases it. Null unless the last take said that
   * nothing waits there, the queue is not paused, and a slot is free.
   */
  seize(): (() => void) | null
  /**
   * Takes no more doorbells, lets running ones end until `graceMs`, then calls `handBack` to make them end at
   * once. May be called twice: the second call waits for the first.
   */
  stop(graceMs: number, handBack: () => void): Promise<void>
}

/** More in one script would hold Redis up for others. */
const mostTaken = 100
const refusedPauseMs = 500

/** The doorbells that a BullMQ job of an older version carries; one that was added by hand is named as its one doorbell. */
const doorbellsOf = ({ id, data }: Job<{ readonly d?: string }>): string[] => data.d?.split(' ') ?? [id!]

/**
 * Answers the doorbells of a queue, as many at a time as there are slots.
 *
 * Asleep (nothing waits: the bell wakes it) → taking (one take at a time, as many as are free) → full or without room (what becomes
 * free takes again) → asleep. So a busy worker asks no one what waits, and an idle one holds nothing.
 */
export const createConsumer = (options: ConsumerOptions): Consumer => {
  const { queue, concurrency, redis, doorbells, keys, log } = options
  const slots = createSlots({ count: concurrency, room: options.room?.left, idle: options.room?.idle })
  const worker = randomBytes(6).toString('hex')
  let chunks = 0
  /** Nothing waits, as far as is known. */
  let isDry = true
  /** The last take said so, and that nobody has paused the queue. */
  let isOpen = false
  let isPumping = false
  let isPumpDue = false
  let isClosed = false
  let whenDry: (() => void)[] = []

  const becomeDry = (): void => {
    isDry = true
    const resolves = whenDry
    whenDry = []
    for (const resolve of resolves) resolve()
  }

  const handle = async (doorbell: string, onClaimed: () => void): Promise<void> => {
    let isClaimed = false
    const claimed = (): void => {
      if (!isClaimed) onClaimed()
      isClaimed = true
    }
    try {
      await options.handle(doorbell, claimed)
    } catch (error) {
      // The record still says that the job waits or runs; the reconciler will find that no worker has it.
      log.error({ event: 'doorbell.failed', err: error, doorbell, queue }, 'doorbell failed')
    } finally {
      slots.release()
      claimed()
      pumpSoon()
    }
  }

  /** Asked again by the same name until it is answered: what a lost reply held must not be lost. */
  const take = async (most: number): ReturnType<Doorbells['take']> => {
    const chunk = `${worker}.${(chunks++).toString(36)}`
    const claimed = claimedChunks.take()
    for (;;) {
      try {
        const taken = await doorbells.take(queue, { chunk, most, worker, free: slots.free + most, claimed })
        return taken
      } catch (error) {
        log.debug({ event: 'doorbells.take_failed', err: error, queue }, 'doorbells not taken, trying again')
        await delay(refusedPauseMs)
        if (isClosed) {
          claimedChunks.putBack(claimed)
          return { doorbells: [], waiting: 0, paused: false }
        }
      }
    }
  }

  const takeOnce = async (most: number): Promise<void> => {
    slots.take(most)
    const { doorbells: taken, waiting, paused } = await take(most)
    slots.release(most - taken.length)
    const claimed = claimedChunks.open(`${worker}.${(chunks - 1).toString(36)}`, taken.length)
    for (const doorbell of taken) void handle(doorbell, claimed)
    isOpen = waiting === 0 && !paused
    if (waiting === 0 || paused || taken.length === 0) becomeDry()
  }

  const pump = async (): Promise<void> => {
    if (isPumping) return
    isPumping = true
    try {
      while (!isDry && !isClosed && slots.free > 0) await takeOnce(Math.min(slots.free, mostTaken))
    } finally {
      isPumping = false
    }
  }

  /** Slots that become free in one turn ask together. */
  const pumpSoon = (): void => {
    if (isDry || isClosed || isPumpDue) return
    isPumpDue = true
    setImmediate(() => {
      isPumpDue = false
      void pump()
    })
  }

  const report = (): void => {
    const claimed = claimedChunks.take()
    doorbells
      .take(queue, { chunk: '', most: 0, worker: '', free: 0, claimed })
      .catch(() => claimedChunks.putBack(claimed))
  }
  const claimedChunks = createClaimedChunks(report)

  const answerRing = async (): Promise<void> => {
    if (isClosed) return
    isDry = false
    const dry = new Promise<void>(resolve => whenDry.push(resolve))
    pumpSoon()
    await dry
  }

  const bell = createBell({
    ...{ queue, redis, keys, log },
    onRing: answerRing,
    onJob: async job => options.adopt?.(doorbellsOf(job)),
  })
  options.room?.onChange(pumpSoon)

  const drain = async (graceMs: number, handBack: () => void): Promise<void> => {
    isClosed = true
    slots.close()
    becomeDry()
    const timer = setTimeout(handBack, graceMs)
    await slots.empty()
    await bell.stop()
    const claimed = claimedChunks.take()
    if (claimed.length > 0)
      await doorbells.take(queue, { chunk: '', most: 0, worker: '', free: 0, claimed }).catch(() => undefined)
    clearTimeout(timer)
  }
  let stopping: Promise<void> | null = null

  return {
    start: bell.start,
    get isRunning() {
      return bell.isListening && !isClosed
    },
    seize: () => {
      if (!isDry || !isOpen || isClosed || slots.free <= 0) return null
      slots.take(1)
      return () => {
        slots.release()
        pumpSoon()
      }
    },
    stop: (graceMs, handBack) => {
      stopping ??= drain(graceMs, handBack)
      return stopping
    },
  }
}
