import type { Cluster, Redis } from 'ioredis'
import type { Logger } from 'pino'
import { createAnswerCache } from '../cache/answer-cache.ts'
import { type CachedRoutes, createSingleFlight } from '../cache/single-flight.ts'
import type { JobStore } from '../jobs/store.ts'
import type { Lifecycle } from '../lifecycle/lifecycle.ts'
import type { Doorbells } from '../queue/doorbells.ts'
import type { Keys } from '../redis/keys.ts'
import type { CallsInFlight } from './calls-in-flight.ts'
import {
  createDropCall,
  createShareCall,
  createStillWaits,
  createWake,
  type ShareCall,
} from './share-call.ts'

export interface ShareCallSite {
  readonly redis: Redis | Cluster
  readonly keys: Keys
  readonly store: JobStore
  readonly doorbells: Doorbells
  readonly cachedRoutes: CachedRoutes
  readonly memory: { readonly isFull: () => boolean }
  readonly calls: Pick<CallsInFlight, 'abort'>
  readonly leaseMs: number
  readonly persist: <T>(write: () => Promise<T>) => Promise<T>
  readonly log: Logger
  readonly now: () => number
}

export interface OpenShareCall {
  readonly shareCall: ShareCall
  /** To be told of each job that was cancelled, wherever it runs. */
  readonly dropCall: (jobId: string) => void
}

/** Caches and shared calls, as one worker takes part in them until it stops. */
export const openShareCall = async (life: Lifecycle, site: ShareCallSite): Promise<OpenShareCall> => {
  const { store, doorbells, cachedRoutes } = site
  const wake = createWake(store, doorbells)
  const singleFlight = createSingleFlight({
    ...site,
    cache: createAnswerCache(site),
    isFull: site.memory.isFull,
    routes: cachedRoutes,
    wake,
    stillWaits: createStillWaits(store),
    random: Math.random,
  })
  if (cachedRoutes.size > 0) {
    await life.open(
      'cache leads',
      () => singleFlight.start(),
      () => singleFlight.stop(),
    )
  }
  return {
    shareCall: createShareCall({ ...site, singleFlight, wake }),
    dropCall: createDropCall(singleFlight, site.calls, site.log),
  }
}
