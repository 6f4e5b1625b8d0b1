import { capacityOf } from '../domain/planning/demand.ts'
import { readWorkers } from '../health/heartbeats.ts'
import type { Lifecycle } from '../lifecycle/lifecycle.ts'
import { createQueueSpeeds, type QueueSpeeds } from '../queue/queue-speeds.ts'
import type { AppContext } from './context.ts'

/** Watches how fast the queues are. For processes that tell when work is likely to be done: those of the API and of batches. */
export const openQueueSpeeds = (
  life: Lifecycle,
  { config, redis, doorbells, log, now }: AppContext,
): Promise<QueueSpeeds> =>
  life.open(
    'queue speeds',
    () => {
      const speeds = createQueueSpeeds({
        providers: Object.keys(config.providers),
        doorbells,
        workers: () => readWorkers(redis, config.redis.prefix, now()),
        // A job may wait for one that the config no longer has.
        rpmOf: name => {
          const provider = config.providers[name]
          return provider === undefined ? null : capacityOf(provider).rpm
        },
        log,
        now,
      })
      speeds.start()
      return speeds
    },
    speeds => speeds.stop(),
  )
