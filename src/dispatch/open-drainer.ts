import type { WorkerHeartbeat } from '../health/heartbeats.ts'
import type { Lifecycle } from '../lifecycle/lifecycle.ts'
import { type Doorbells, providerQueue } from '../queue/doorbells.ts'
import { createDrainer, type DrainerDeps } from './drainer.ts'
import { createHandoverThrottle, type HandoverThrottle } from './handover-throttle.ts'

type Same =
  | 'routes'
  | 'providers'
  | 'order'
  | 'moveReasons'
  | 'store'
  | 'withoutWorkerSince'
  | 'mayEmpty'
  | 'availableAt'
  | 'backoffOf'
  | 'maxAttempts'
  | 'obstacleOf'
  | 'log'
  | 'now'

export interface DrainerSite extends Pick<DrainerDeps, Same> {
  readonly doorbells: Doorbells
  readonly instance: string
  readonly workers: () => Promise<readonly WorkerHeartbeat[]>
}

/** Every process takes part in it, whatever its role: whoever is left must be able to. */
export const openDrainer = async (life: Lifecycle, site: DrainerSite): Promise<void> => {
  const { providers, doorbells, instance, workers, log, now } = site
  let tokens = 0
  const throttles = new Map<string, HandoverThrottle>()
  const waiting = (provider: string): Promise<number> => doorbells.waiting(providerQueue(provider))
  const throttleOf = (from: string): HandoverThrottle => {
    const throttle = throttles.get(from) ?? createHandoverThrottle({ from, waiting, workers, log, now })
    throttles.set(from, throttle)
    return throttle
  }
  await life.open(
    'drainer',
    () => {
      const drainer = createDrainer({
        ...site,
        drainable: [...providers.keys()],
        throttleOf,
        newToken: () => `${instance}.r${tokens++}`,
      })
      drainer.start()
      return drainer
    },
    drainer => drainer.stop(),
  )
}
