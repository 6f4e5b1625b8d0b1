import type { Logger } from 'pino'
import type { AppContext } from '../src/context/context.ts'
import { readWorkers } from '../src/health/heartbeats.ts'
import type { Lifecycle } from '../src/lifecycle/lifecycle.ts'
import { createRepeating } from '../src/lifecycle/repeating.ts'

/** Whether a worker leaves its queue to others. */
export interface StepAside {
  readonly isOn: boolean
  /** Calls back when it takes jobs again. */
  onEnd(listener: () => void): void
}

const roundMs = 1_000

/**
 * A worker steps aside while all of its keys are stopped and another of its provider has one in use: in a rolling restart with a
 * new key, it would only park what was woken for the others. Where no such worker lives, by its heartbeat, it takes jobs as ever,
 * and hands them over or parks them.
 */
export const openStepAside = async (
  life: Lifecycle,
  context: Pick<AppContext, 'redis' | 'keys' | 'keyRings' | 'instance' | 'now'>,
  name: string,
  log: Logger,
): Promise<StepAside> => {
  const { redis, keys, keyRings, instance, now } = context
  const ring = keyRings.get(name)!
  const listeners: (() => void)[] = []
  let isOn = false

  const othersHaveKeys = async (): Promise<boolean> => {
    const workers = await readWorkers(redis, keys.prefix, now())
    return workers.some(worker => worker.provider === name && worker.instance !== instance && worker.hasKey)
  }

  const round = async (): Promise<void> => {
    const wasOn = isOn
    isOn = ring.unavailableUntil() > 0 && (await othersHaveKeys())
    if (isOn && !wasOn)
      log.info({ event: 'worker.stepped_aside' }, 'jobs left to workers whose key is not stopped')
    if (isOn || !wasOn) return
    log.info({ event: 'worker.came_back' }, 'jobs taken again')
    for (const listener of listeners) listener()
  }

  const rounds = createRepeating('stepAside', roundMs, round, log)
  await life.open(
    'step aside',
    () => rounds.start(),
    () => rounds.stop(),
  )
  return {
    get isOn() {
      return isOn
    },
    onEnd: listener => {
      listeners.push(listener)
    },
  }
}
