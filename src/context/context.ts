import { versionOf } from '../config/changes.ts'
import { openDrainer } from '../dispatch/drainer.ts'
import { createExpressLanes, type ExpressLanes } from '../dispatch/express-lane.ts'
import { createFormerProviders } from '../dispatch/former-providers.ts'
import { createIsolation, type Isolation } from '../dispatch/isolation.ts'
import { readProcesses, readWorkers } from '../health/heartbeats.ts'
import type { Lifecycle } from '../lifecycle/lifecycle.ts'
import { createLimitStore, type LimitStore } from '../rate-limits/limit-store.ts'
import { type Foundation, type FoundationOptions, openFoundation } from './foundation.ts'
import { openTargetHealth, type TargetHealth } from './health.ts'
import { openHistory } from './history.ts'
import { openRouting, type Routing } from './routing.ts'
import { openStores, type Stores } from './stores.ts'
import { openStreams, type Streams } from './streams.ts'

/** What every role stands on. Each part of a role names what it takes of it. */
export interface AppContext extends Foundation, Stores, Streams, TargetHealth, Routing {
  readonly limitStore: LimitStore
  /** Jobs of this process that must run alone. */
  readonly isolation: Isolation
  /** By which jobs of this process's API reach this process's workers. */
  readonly expressLanes: ExpressLanes
}

/** Opens what all roles share, with the tasks that every process takes part in. */
export const openContext = async (life: Lifecycle, options: FoundationOptions): Promise<AppContext> => {
  const foundation = await openFoundation(life, options)
  const health = await openTargetHealth(life, foundation)
  const routing = await openRouting(life, foundation, health)
  const stores = await openStores(life, foundation)
  const streams = await openStreams(life, foundation, stores)
  await openHistory(life, foundation, health, stores)
  await openMoves(life, foundation, stores, health, routing)
  return {
    ...foundation,
    ...health,
    ...routing,
    ...stores,
    ...streams,
    limitStore: createLimitStore(foundation.redis, foundation.config.redis.prefix),
    isolation: createIsolation(),
    expressLanes: createExpressLanes(),
  }
}

/** Moves jobs on that wait for a provider without a worker. */
const openMoves = (
  life: Lifecycle,
  { config, redis, keys, instance, hasTurn, log, now }: Foundation,
  { store, doorbells }: Stores,
  { availableAt, obstacleOf, workerLiveness }: TargetHealth,
  { routes, providers, order, moveReasons, backoffOf }: Routing,
): Promise<void> => {
  const workers = () => readWorkers(redis, config.redis.prefix, now())
  return openDrainer(life, {
    routes,
    providers,
    order,
    moveReasons,
    backoffOf,
    store,
    doorbells,
    availableAt,
    obstacleOf,
    withoutWorkerSince: workerLiveness.withoutWorkerSince,
    workers,
    formerProviders: createFormerProviders({
      redis,
      key: keys.providers,
      names: [...providers.keys()],
      version: versionOf(config),
      processes: () => readProcesses(redis, config.redis.prefix, now()),
      workers,
      now,
    }),
    mayEmpty: hasTurn,
    instance,
    maxAttempts: config.jobs.max_attempts,
    log,
    now,
  })
}
