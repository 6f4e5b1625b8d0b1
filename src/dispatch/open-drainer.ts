import type { WorkerPresence } from '../health/heartbeats.ts'
import type { Lifecycle } from '../lifecycle/lifecycle.ts'
import { type Doorbells, providerQueue } from '../queue/doorbells.ts'
import { createRelief, type ReliefParts } from './drainer.ts'
import { createHandoverPace, type HandoverPace } from './handover-throttle.ts'

type Same =
  | 'routes'
  | 'providers'
  | 'order'
  | 'notes'
  | 'store'
  | 'unmannedSince'
  | 'mayEmpty'
  | 'availableAt'
  | 'backoffOf'
  | 'maxAttempts'
  | 'obstacleOf'
  | 'log'
  | 'now'

export interface ReliefSite extends Pick<ReliefParts, Same> {
  readonly doorbells: Doorbells
  readonly instance: string
  readonly workers: () => Promise<readonly WorkerPresence[]>
}

/** Every process takes part in it, whatever its role: whoever is left must be able to. */
export const openRelief = async (life: Lifecycle, site: ReliefSite): Promise<void> => {
  const { providers, doorbells, instance, workers, log, now } = site
  let tokens = 0
  const paces = new Map<string, HandoverPace>()
  const waiting = (provider: string): Promise<number> => doorbells.waiting(providerQueue(provider))
  const paceOf = (from: string): HandoverPace => {
    const pace = paces.get(from) ?? createHandoverPace({ from, waiting, workers, log, now })
    paces.set(from, pace)
    return pace
  }
  await life.open(
    'relief',
    () => {
      const relief = createRelief({
        ...site,
        unmannable: [...providers.keys()],
        paceOf,
        newToken: () => `${instance}.r${tokens++}`,
      })
      relief.start()
      return relief
    },
    relief => relief.stop(),
  )
}
