import type { Cluster, Redis } from 'ioredis'
import type { Logger } from 'pino'
import { placeOf } from '../domain/place.ts'
import { jobDoorbell } from '../jobs/doorbell.ts'
import { createMirrorStore } from '../mirror/mirror-store.ts'
import type { MirroredRoutes } from '../mirror/mirrored-routes.ts'
import { createMirrors, type Mirrors } from '../mirror/mirrors.ts'
import { type Doorbells, providerQueue } from '../queue/doorbells.ts'
import type { Keys } from '../redis/keys.ts'
import { targetsFor } from './request-targets.ts'
import { type Providers, requestOf, singleTargetRoute } from './routes.ts'

export interface MirrorSite {
  readonly redis: Redis | Cluster
  readonly keys: Keys
  readonly doorbells: Doorbells
  readonly providers: Providers
  readonly mirroredRoutes: MirroredRoutes
  readonly memory: { readonly isFull: () => boolean }
  readonly log: Logger
  readonly now: () => number
}

/** The mirrors of the config's routes, as workers take part in them. */
export const mirrorJobs = (site: MirrorSite): Mirrors => {
  const { redis, keys, doorbells, providers, mirroredRoutes: routes, memory, log, now } = site
  return createMirrors({
    routes,
    store: createMirrorStore(redis, keys, now),
    isFull: memory.isFull,
    canCarry: ({ to, adjusts }, { endpoint, body, headers, home }) => {
      // Such a request depends on what only the original's account has.
      if (home !== null) return false
      const route = singleTargetRoute(to, adjusts ? 'always' : 'never')
      return targetsFor(route, providers, requestOf(endpoint, body, headers)).targets.length > 0
    },
    ring: job =>
      doorbells.ring({
        queue: providerQueue(job.target.provider),
        doorbell: jobDoorbell(job.id, 0, 0),
        place: placeOf(job),
      }),
    log,
    now,
    random: Math.random,
  })
}
