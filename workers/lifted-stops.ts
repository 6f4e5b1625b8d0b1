import type { Logger } from 'pino'
import type { AppContext } from '../src/context/context.ts'
import { createSchedule } from '../src/jobs/schedule.ts'
import type { Lifecycle } from '../src/lifecycle/lifecycle.ts'
import { createRepeating } from '../src/lifecycle/repeating.ts'
import { wakeParked } from '../src/queue/wake-parked.ts'

/** A person who has mended something looks whether it goes on. */
const roundMs = 1_000

/**
 * Wakes the jobs that are parked for a provider until its stop may be tried again, where that stop is none any more: a key was
 * replaced, here by a reload or a restart, or a stop was lifted. While the stop of a key stands that this worker has not, others may
 * have it still and park what they take: then jobs are woken again and again, until the last of them has the new one.
 */
export const openLiftedStops = async (
  life: Lifecycle,
  context: AppContext,
  name: string,
  log: Logger,
): Promise<void> => {
  const { cooldowns, redis, run, keys: redisKeys, store, doorbells, hasTurn, clock, now } = context
  const schedule = createSchedule(redis, run, redisKeys, clock)
  const keys = context.keyRings.get(name)!
  const parts = { schedule, store, doorbells }
  const ofKey = `key:${name}#`
  /** Stops of all of the provider, or of one of its models, and until when they were to last. */
  let before = new Map<string, number>()

  const isLifted = (): boolean => {
    const stops = cooldowns.current().filter(({ state }) => state === 'stopped')
    const after = new Map(
      stops
        .filter(({ scope }) => scope === `provider:${name}` || scope.startsWith(`target:${name}/`))
        .map(({ scope, untilMs }) => [scope as string, untilMs]),
    )
    const isGone = [...before].some(([scope, untilMs]) => untilMs > now() && !after.has(scope))
    before = after
    const isReplaced = stops.some(
      ({ scope }) => scope.startsWith(ofKey) && !keys.has(scope.slice(ofKey.length)),
    )
    return isGone || isReplaced
  }

  const round = async (): Promise<void> => {
    if (!isLifted() || keys.unavailableUntil() > 0 || !(await hasTurn(`wake.${name}`))) return
    const jobs = await wakeParked(parts, name, target => cooldowns.unavailableUntil(target) === 0)
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
