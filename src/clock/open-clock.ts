import type { Cluster, Redis } from 'ioredis'
import type { Logger } from 'pino'
import type { Lifecycle } from '../lifecycle/lifecycle.ts'
import { type Clock, createClock } from './clock.ts'

/** The time of Redis, looked at until the process stops. */
export const openClock = (
  life: Lifecycle,
  redis: Redis | Cluster,
  prefix: string,
  log: Logger,
): Promise<Clock> =>
  life.open(
    'clock',
    async () => {
      const clock = await createClock(redis, prefix, log)
      clock.start()
      return clock
    },
    clock => clock.stop(),
  )
