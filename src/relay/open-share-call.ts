import type { Cluster, Redis } from 'ioredis'
import type { Logger } from 'pino'
import { createAnswerCache } from '../cache/answer-cache.ts'
import { type CachedRoutes, createFlights } from '../cache/flights.ts'
import type { Lifecycle } from '../lifecycle/lifecycle.ts'
import type { Doorbells } from '../queue/doorbells.ts'
import type { JobStore } from '../store/job-store.ts'
import type { Keys } from '../store/keys.ts'
import { createShareCall, createWake, type ShareCall } from './share-call.ts'

export interface ShareCallSite {
  readonly redis: Redis | Cluster
  readonly keys: Keys
  readonly store: JobStore
  readonly doorbells: Doorbells
  readonly cachedRoutes: CachedRoutes
  readonly leaseMs: number
  readonly persist: <T>(write: () => Promise<T>) => Promise<T>
  readonly log: Logger
  readonly now: () => number
}

/** Caches and shared calls, as one worker takes part in them until it stops. */
export const openShareCall = async (life: Lifecycle, site: ShareCallSite): Promise<ShareCall> => {
  const { store, doorbells, cachedRoutes } = site
  const wake = createWake(store, doorbells)
  const flights = createFlights({
    ...site,
    cache: createAnswerCache(site),
    routes: cachedRoutes,
    wake,
    random: Math.random,
  })
  if (cachedRoutes.size > 0) {
    await life.open(
      'cache leads',
      () => flights.start(),
      () => flights.stop(),
    )
  }
  return createShareCall({ ...site, flights, wake })
}
