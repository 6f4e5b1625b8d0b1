import { randomBytes } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import { type BatchStore, createBatchStore } from '../batches/store.ts'
import { cachedRoutesOf } from '../cache/cached-routes.ts'
import type { CachedRoutes } from '../cache/single-flight.ts'
import type { Clock } from '../clock/clock.ts'
import { openClock } from '../clock/open-clock.ts'
import { backoffsOf, healthCheckOf } from '../config/health-check.ts'
import { knownModels } from '../config/known-models.ts'
import type { Config, RouteConfig } from '../config/schema.ts'
import { secretsOf } from '../config/secrets.ts'
import { type AccountAffinity, createAccountAffinity } from '../dispatch/account-affinity.ts'
import { openDrainer } from '../dispatch/drainer.ts'
import { createIsolation, type Isolation } from '../dispatch/isolation.ts'
import { createMoveReasons, type MoveReasons } from '../dispatch/move-reasons.ts'
import type { Providers, Route, Routes } from '../dispatch/routes.ts'
import { createTargetOrder, type OrderTargets } from '../dispatch/target-order.ts'
import { createTargetStats, type TargetStats } from '../dispatch/target-stats.ts'
import { circuitOf } from '../domain/circuit.ts'
import type { ObstacleOf } from '../domain/obstacle.ts'
import { createRedact, type Redact } from '../domain/redact.ts'
import type { Backoff } from '../domain/routing/backoff.ts'
import { type RouteTarget, resolveRoutes } from '../domain/routing/chain.ts'
import type { CircuitStore } from '../health/circuit-store.ts'
import type { Circuits } from '../health/circuits.ts'
import type { Cooldowns } from '../health/cooldowns.ts'
import { openHeartbeat, readAllWorkers, readWorkers } from '../health/heartbeats.ts'
import { createKeyRing, type KeyRing } from '../health/key-ring.ts'
import { createObstacleOf, createUnavailableReason } from '../health/obstacles.ts'
import { openHealth } from '../health/open-health.ts'
import { createVitals, type Vitals } from '../health/vitals.ts'
import { createWorkerLiveness, type WorkerLiveness, withoutWorkerForMs } from '../health/worker-liveness.ts'
import { createJobStore, type JobStore } from '../jobs/store.ts'
import type { Lifecycle } from '../lifecycle/lifecycle.ts'
import { type MirroredRoutes, mirroredRoutesOf } from '../mirror/mirrored-routes.ts'
import { type Names, openNames } from '../net/names/open-names.ts'
import { createProviders } from '../providers/create-providers.ts'
import { createDoorbells, type Doorbells } from '../queue/doorbells.ts'
import { createTurn } from '../queue/turn.ts'
import { createLimitStore, type LimitStore } from '../rate-limits/limit-store.ts'
import { createPatientRedis, createSubscriber, type RedisClient } from '../redis/connect.ts'
import { createGuardedRunner } from '../redis/full-store.ts'
import { createKeys, type Keys } from '../redis/keys.ts'
import { type MemoryWatch, openMemoryWatch } from '../redis/memory-watch.ts'
import { pingRedis } from '../redis/ping.ts'
import type { RedisPlace } from '../redis/place.ts'
import { createScriptRunner, type RunScript } from '../redis/scripts.ts'
import { type Counts, createCounts } from '../telemetry/counts.ts'
import { createTelemetry, type Telemetry } from '../telemetry/telemetry.ts'
import { createBatchDeliveries, createJobDeliveries, type DeliveriesByKind } from '../webhooks/deliveries.ts'
import { openMaintenance } from './maintenance.ts'

/** A dead letter can be sent again for this long. */
export const deadLetterRetentionMs = 7 * 86_400_000

/** What every role stands on. */
export interface AppContext {
  readonly config: Config
  readonly redisAt: RedisPlace
  readonly instance: string
  readonly keys: Keys
  readonly routes: Routes
  readonly cachedRoutes: CachedRoutes
  readonly mirroredRoutes: MirroredRoutes
  readonly providers: Providers
  readonly names: Names
  readonly keyRings: ReadonlyMap<string, KeyRing>
  /** Which account keeps what later requests go on from. */
  readonly accountAffinity: AccountAffinity
  /** Waits out an outage of Redis. */
  readonly redis: RedisClient
  readonly subscriber: Redis
  readonly run: RunScript
  readonly memory: MemoryWatch
  readonly store: JobStore
  readonly telemetry: Telemetry
  /** What this process did since it started. */
  readonly counts: Counts
  readonly vitals: Vitals
  readonly batches: BatchStore
  readonly deliveries: DeliveriesByKind
  readonly doorbells: Doorbells
  readonly cooldowns: Cooldowns
  readonly circuits: Circuits
  readonly workerLiveness: WorkerLiveness
  readonly circuitStore: CircuitStore
  readonly limitStore: LimitStore
  /** Unix ms until which throttling, or a lack of usable keys or of workers, keeps a target out of use; 0 for none. */
  readonly suspendedUntil: (target: RouteTarget) => number
  /** Unix ms from which a job may be sent to a target; 0 for now. Draws where only a share is sent. */
  readonly availableAt: (target: RouteTarget) => number
  readonly backoffOf: (target: RouteTarget) => Backoff
  readonly targetStats: TargetStats
  readonly order: OrderTargets
  readonly moveReasons: MoveReasons
  readonly obstacleOf: ObstacleOf
  /** Cuts the config's secrets out of what comes from outside. */
  readonly redact: Redact
  /** Of the jobs that this process runs. */
  readonly isolation: Isolation
  readonly log: Logger
  readonly clock: Clock
  /** Unix ms by that clock. */
  readonly now: () => number
}

export interface AppContextOptions {
  readonly config: Config
  readonly redisAt: RedisPlace
  readonly log: Logger
  /** Where the process tells of itself, if it has a port for that. */
  readonly vitals?: Vitals
}

const routeOf = (
  targets: readonly RouteTarget[],
  { strategy, weights, on_refusal, adjust }: RouteConfig,
): Route => ({
  targets,
  strategy,
  weights: weights === undefined ? null : new Map(Object.entries(weights)),
  refusalHandsOver: on_refusal === 'handover',
  adjust,
})

export const routesOf = (config: Config): Routes =>
  new Map(
    [...resolveRoutes(config, knownModels(config))].map(([name, targets]) => [
      name,
      routeOf(targets, config.models[name]!),
    ]),
  )

const keysOf = ({ api_key, api_keys }: Config['providers'][string]): readonly string[] =>
  api_keys ?? (api_key ? [api_key] : [])

export const deliveriesOn = (
  redis: RedisClient,
  run: RunScript,
  keys: Keys,
  { jobs, batches }: Config,
  now: () => number,
): DeliveriesByKind => {
  const on = { redis, run, keys, leaseMs: jobs.lease, now }
  return {
    jobs: createJobDeliveries({ ...on, retentionMs: jobs.retention, deadLetterRetentionMs }),
    batches: createBatchDeliveries({
      ...on,
      retentionMs: batches.retention,
      deadLetterRetentionMs: batches.retention,
    }),
  }
}

export const storeOn = (
  redis: RedisClient,
  run: RunScript,
  keys: Keys,
  config: Config,
  { now, aheadMs }: Clock,
  telemetry: Telemetry,
): JobStore =>
  createJobStore({
    redis,
    run,
    keys,
    leaseMs: config.jobs.lease,
    retentionMs: config.jobs.retention,
    now,
    aheadMs,
    telemetry,
  })

/** Opens what all roles share, among it the sweeper and the reconciler: every process takes part in both. */
export const openContext = async (life: Lifecycle, options: AppContextOptions): Promise<AppContext> => {
  const { config, redisAt, log, vitals = createVitals() } = options
  const { prefix } = config.redis
  const instance = randomBytes(4).toString('hex')
  const keys = createKeys(prefix)

  const disconnect = (redis: RedisClient): void => redis.disconnect()
  const redis = await life.open('redis', () => createPatientRedis(redisAt, log), disconnect)
  const subscriber = await life.open('subscriber', () => createSubscriber(redisAt, log), disconnect)
  const clock = await openClock(life, redis, prefix, log)
  const { now } = clock
  const memory = await openMemoryWatch(life, { redis, fullAt: config.redis.full_at, log })
  const run = createGuardedRunner(createScriptRunner(redis), memory.isFull)
  const telemetry = createTelemetry()
  const counts = createCounts(telemetry)
  const store = storeOn(redis, run, keys, config, clock, telemetry)
  vitals.check('redis', () => redis.status === 'ready' && pingRedis(redis, keys).then(() => true))
  await openHeartbeat(life, { redis, prefix, instance, ends: counts.ends, vitals, log, now })

  const isChecked = (name: string): boolean =>
    config.providers[name] !== undefined && healthCheckOf(config.providers[name]) !== null
  const { cooldowns, circuitStore, circuits } = await openHealth(life, {
    ...{ redis, subscriber, prefix, isChecked, log, now },
  })
  const names = await life.open(
    'names',
    () => openNames({ servers: config.dns.servers, timeoutMs: config.dns.timeout }),
    names => names.close(),
  )
  const providers = await life.open(
    'providers',
    () => createProviders(config, routesOf(config), now, names.lookup),
    providers => Promise.all([...providers.values()].map(p => p.close())),
  )
  const keyRings = new Map(
    Object.entries(config.providers).map(([name, p]) => [name, createKeyRing(name, keysOf(p), cooldowns)]),
  )
  const doorbells = await life.open(
    'doorbells',
    () => createDoorbells(redis, keys, log, now),
    d => d.close(),
  )

  const hasTurn = createTurn(redis, prefix, instance)
  const batches = createBatchStore({ redis, run, keys, now })
  const deliveries = deliveriesOn(redis, run, keys, config, now)
  await openMaintenance(life, {
    ...{ redis, run, keys, instance, store, doorbells, hasTurn, log, ...clock },
    readDelivery: batches.readDelivery,
    recoverDelivery: deliveries.jobs.recoverDelivery,
    leaseMs: config.jobs.lease,
  })

  const workers = () => readWorkers(redis, prefix, now())
  const workerLiveness = await life.open(
    'worker liveness',
    () => {
      const workerLiveness = createWorkerLiveness({
        providers: Object.keys(config.providers),
        workers: () => readAllWorkers(redis, prefix),
        afterMs: config.jobs.worker_missing_after,
        log,
        now,
      })
      workerLiveness.start()
      return workerLiveness
    },
    workerLiveness => workerLiveness.stop(),
  )
  const { withoutWorkerSince } = workerLiveness
  const suspendedUntil = (target: RouteTarget): number =>
    Math.max(
      cooldowns.unavailableUntil(target),
      keyRings.get(target.provider)?.unavailableUntil() ?? 0,
      withoutWorkerSince(target.provider) > 0 ? now() + withoutWorkerForMs : 0,
    )
  const availableAt = (target: RouteTarget): number =>
    suspendedUntil(target) || circuits.sendsAt(target.provider) || circuits.sendsAt(circuitOf(target))
  const routes = routesOf(config)
  const targetStats = createTargetStats({ redis, prefix, instance, log, now })
  if ([...routes.values()].some(({ strategy }) => strategy !== 'ordered')) {
    await life.open(
      'target stats',
      () => targetStats.start(),
      () => targetStats.stop(),
    )
  }
  const order = createTargetOrder(targetStats.of)
  const moveReasons = createMoveReasons(
    createUnavailableReason({ circuits, cooldowns, withoutWorkerSince }),
    now,
  )
  const backoffOf = backoffsOf(config)
  const site = {
    routes,
    providers,
    order,
    moveReasons,
    store,
    doorbells,
    withoutWorkerSince,
    mayEmpty: hasTurn,
    backoffOf,
  }
  const obstacleOf = createObstacleOf({ circuits, cooldowns, keyRings, withoutWorkerSince })
  await openDrainer(life, {
    ...site,
    ...{ obstacleOf, instance, availableAt, workers, maxAttempts: config.jobs.max_attempts, log, now },
  })
  return {
    config,
    redisAt,
    instance,
    keys,
    routes,
    mirroredRoutes: mirroredRoutesOf(config, knownModels(config)),
    cachedRoutes: cachedRoutesOf(config.models, new Map([...routes].map(([name, r]) => [name, r.targets]))),
    providers,
    names,
    keyRings,
    accountAffinity: createAccountAffinity({ redis, prefix, providers, keyRings, log }),
    redis,
    subscriber,
    run,
    memory,
    store,
    telemetry,
    counts,
    vitals,
    batches,
    deliveries,
    doorbells,
    cooldowns,
    circuits,
    workerLiveness,
    circuitStore,
    limitStore: createLimitStore(redis, prefix),
    suspendedUntil,
    availableAt,
    backoffOf,
    targetStats,
    order,
    moveReasons,
    obstacleOf,
    redact: createRedact(secretsOf(config)),
    isolation: createIsolation(),
    log,
    clock,
    now,
  }
}
