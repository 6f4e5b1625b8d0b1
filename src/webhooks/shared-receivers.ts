import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import { createRepeating, type Repeating } from '../lifecycle/repeating.ts'
import { subscribeTo } from '../redis/connect.ts'
import type { BreakerTerms } from './receiver-breaker.ts'
import { createReceivers, type Receivers } from './receivers.ts'

export interface SharedReceiversDeps {
  readonly redis: { publish(channel: string, text: string): Promise<unknown> }
  readonly subscriber: Redis
  readonly channel: string
  /** Names this process. */
  readonly instance: string
  readonly places: number
  readonly breaker: BreakerTerms
  readonly log: Logger
  readonly now: () => number
}

/**
 * The receivers of this process; it publishes those that take nothing, and hears of those of other processes.
 */
export interface SharedReceivers extends Receivers, Omit<Repeating, 'start'> {
  start(): Promise<void>
  /** Called about once a second: more deliveries may hang by then. */
  readonly onHanging: (listener: () => void) => void
}

interface News {
  readonly by: string
  readonly origin: string
  readonly untilMs: number
}

const tickMs = 1_000

export const createSharedReceivers = (parts: SharedReceiversDeps): SharedReceivers => {
  const { redis, subscriber, channel, instance, log } = parts
  const listeners: (() => void)[] = []
  let unsubscribe = (): void => undefined

  // News that are lost cost another process some failures of its own.
  const tell = async (news: News): Promise<void> => {
    await redis.publish(channel, JSON.stringify(news)).catch(() => undefined)
  }
  const receivers = createReceivers({
    ...parts,
    random: Math.random,
    onShut: (origin, untilMs) => {
      log.warn(
        { event: 'receiver.suspended', receiver: origin, untilMs },
        'webhook receiver suspended for a while',
      )
      void tell({ by: instance, origin, untilMs })
    },
  })
  const onNews = (text: string): void => {
    const { by, origin, untilMs } = JSON.parse(text) as News
    if (by !== instance) receivers.shut(origin, untilMs)
  }
  const ticking = createRepeating(
    'receivers',
    tickMs,
    async () => {
      receivers.tidy()
      for (const listener of listeners) listener()
    },
    log,
  )

  return {
    ...receivers,
    onHanging: listener => void listeners.push(listener),
    start: async () => {
      unsubscribe = await subscribeTo(subscriber, channel, onNews)
      ticking.start()
    },
    stop: async () => {
      unsubscribe()
      await ticking.stop()
    },
  }
}
