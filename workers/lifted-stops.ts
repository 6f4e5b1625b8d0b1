import type { Logger } from 'pino'
import type { AppContext } from '../src/context/context.ts'
import { createLiftedStops } from '../src/health/lifted-stops.ts'
import { createSchedule } from '../src/jobs/schedule.ts'
import type { Lifecycle } from '../src/lifecycle/lifecycle.ts'
import { createRepeating } from '../src/lifecycle/repeating.ts'
import { createWakes } from '../src/queue/wakes.ts'

/** A person who has mended something looks whether it goes on. */
const roundMs = 1_000

/** Wakes the jobs that are parked for a provider until its stop may be tried again, where that stop is none any more. */
export const openLiftedStops = async (
  life: Lifecycle,
  context: AppContext,
  name: string,
  log: Logger,
): Promise<void> => {
  const { cooldowns, obstacleOf, redis, run, keys: redisKeys, store, doorbells, clock, now } = context
  const keys = context.keyRings.get(name)!
  const lifted = createLiftedStops({ provider: name, cooldowns, keys, now })
  const wakes = createWakes({
    ...{ schedule: createSchedule(redis, run, redisKeys, clock), store, doorbells, now },
    ...{ provider: name, canBeAsked: target => obstacleOf(target) === null },
    hasTurn: () => context.hasTurn(`wake.${name}`),
  })

  const round = async (): Promise<void> => {
    const stops = lifted.read()
    if (keys.unavailableUntil() > 0) return
    const jobs = await wakes.next(stops.keys())
    if (jobs > 0)
      log.info({ event: 'provider.jobs_woken', jobs }, 'parked jobs go on: what stopped them is gone')
  }

  const rounds = createRepeating('liftedStops', roundMs, round, log)
  await life.open(
    'lifted stops',
    () => rounds.start(),
    () => rounds.stop(),
  )
}
