import type { Lifecycle } from '../lifecycle/lifecycle.ts'
import { subscribeTo } from '../redis/connect.ts'
import { createOwedWrite } from '../redis/owed-write.ts'
import type { Foundation } from './foundation.ts'

/** How processes tell each other to read their config anew. */
export interface Reloads {
  announce(): Promise<void>
  /** Hears of what was announced before it listened. */
  hearMissed(): Promise<void>
}

/**
 * A message makes it fast. One that is not heard, by a process that was starting or had lost its connection, is found by the time of the
 * last, which stays in Redis. `onAnnounced`: another process was told to reload, so many ms ago.
 */
export const openReloads = async (
  life: Lifecycle,
  { keys, instance, redis, subscriber, now, log }: Foundation,
  onAnnounced: (agoMs: number) => void,
): Promise<Reloads> => {
  const write = createOwedWrite(redis)
  const hear = (from: string): void => {
    if (from !== instance) onAnnounced(0)
  }
  const hearMissed = async (): Promise<void> => {
    const at = await redis.get(keys.reloadedAt)
    if (at !== null) onAnnounced(Math.max(0, now() - Number(at)))
  }
  const onReady = (): void =>
    void hearMissed().catch(error =>
      log.warn({ event: 'config.announcement_unread', err: error }, 'not known whether a reload was missed'),
    )
  await life.open(
    'reloads',
    async () => {
      const quiet = await subscribeTo(subscriber, keys.reloadChannel, hear)
      subscriber.on('ready', onReady)
      return quiet
    },
    quiet => {
      subscriber.off('ready', onReady)
      quiet()
    },
  )
  return {
    announce: async () => {
      await write('SET', keys.reloadedAt, now())
      await redis.publish(keys.reloadChannel, instance)
    },
    hearMissed,
  }
}
