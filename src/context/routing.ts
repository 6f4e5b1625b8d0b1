import type { CachedRoutes } from '../cache/single-flight.ts'
import { cachedRoutesOf } from '../cache/single-flight.ts'
import { knownModels } from '../config/known-models.ts'
import { backoffsOf } from '../config/provider-settings.ts'
import type { Config, RouteConfig } from '../config/schema.ts'
import { type AccountAffinity, createAccountAffinity } from '../dispatch/account-affinity.ts'
import { createMoveReasons, type MoveReasons } from '../dispatch/move-reasons.ts'
import { RouteTable } from '../dispatch/route-table.ts'
import type { Providers, Route } from '../dispatch/routes.ts'
import { createTargetOrder, type OrderTargets } from '../dispatch/target-order.ts'
import { createTargetStats, type TargetStats } from '../dispatch/target-stats.ts'
import type { Backoff } from '../domain/routing/backoff.ts'
import {
  chainOf,
  type IsAnswered,
  type KnownModels,
  type RouteTarget,
  resolveRoutes,
  routeFor,
} from '../domain/routing/chain.ts'
import { type AnsweredModels, createAnsweredModels } from '../health/answered-models.ts'
import { createUnavailableReason } from '../health/obstacles.ts'
import type { Lifecycle } from '../lifecycle/lifecycle.ts'
import { type MirroredRoutes, mirroredRoutesOf } from '../mirror/mirrored-routes.ts'
import { createProviders } from '../providers/create-provider.ts'
import type { Foundation } from './foundation.ts'
import type { TargetHealth } from './health.ts'

/** Where a job may go, in which order, and how what is there is called. */
export interface Routing {
  readonly routes: RouteTable
  readonly answeredModels: AnsweredModels
  readonly cachedRoutes: CachedRoutes
  readonly mirroredRoutes: MirroredRoutes
  readonly providers: Providers
  /** Which account keeps what later requests go on from. */
  readonly accountAffinity: AccountAffinity
  readonly targetStats: TargetStats
  readonly order: OrderTargets
  readonly moveReasons: MoveReasons
  readonly backoffOf: (target: RouteTarget) => Backoff
}

const routeOf = (
  targets: readonly RouteTarget[],
  { strategy, weights, on_refusal, adjust, patience }: RouteConfig,
): Route => ({
  targets,
  strategy,
  weights: weights === undefined ? null : new Map(Object.entries(weights)),
  refusalHandsOver: on_refusal === 'handover',
  adjust,
  patienceMs: patience ?? null,
})

/** The route of a name that a wildcard stands for. */
const byWildcard = (
  config: Config,
  known: KnownModels,
  isAnswered: IsAnswered | undefined,
  name: string,
): Route | undefined => {
  const found = routeFor(config, name)
  const targets = found ? chainOf(config, name, known, isAnswered) : []
  return targets.length > 0 ? routeOf(targets, config.models[found!.name]!) : undefined
}

/** `isAnswered`: see `AnsweredModels`; by default no model has been. */
export const routesOf = (config: Config, isAnswered?: IsAnswered): RouteTable => {
  const known = knownModels(config)
  const own = [...resolveRoutes(config, known)].map(
    ([name, targets]) => [name, routeOf(targets, config.models[name]!)] as const,
  )
  return new RouteTable(own, config.aliases, name => byWildcard(config, known, isAnswered, name))
}

/** The providers that wildcards lead to. */
const behindWildcards = (config: Config): readonly string[] => {
  const targets = [...resolveRoutes(config).values()].flat()
  return [...new Set(targets.flatMap(({ provider, measuredAs }) => (measuredAs ? provider : [])))]
}

/**
 * Why a job goes on to another target although a worker would do this one good: to serve its queue, or to make the call that shows
 * whether it is back. What is paused waits for a person, and what throttles for a time.
 */
const wantsWorker: ReadonlySet<string> = new Set(['no_worker', 'down', 'probing', 'slow', 'stopped'])

export const openRouting = async (
  life: Lifecycle,
  { config, redis, instance, names, env, telemetry, log, now }: Foundation,
  { circuits, cooldowns, keyRings, workerLiveness }: TargetHealth,
): Promise<Routing> => {
  const { prefix } = config.redis
  const { withoutWorkerSince } = workerLiveness
  const answeredModels: AnsweredModels = createAnsweredModels({
    ...{ redis, prefix, log, now },
    providers: behindWildcards(config),
    changed: () => routes.resolveAnew(),
  })
  const routes = routesOf(config, answeredModels.has)
  if (behindWildcards(config).length > 0) {
    await life.open(
      'answered models',
      () => answeredModels.start(),
      () => answeredModels.stop(),
    )
  }
  const providers = await life.open(
    'providers',
    () => createProviders(config, routes, now, { lookup: names.lookup, env }),
    providers => Promise.all([...providers.values()].map(provider => provider.close())),
  )
  const targetStats = createTargetStats({ redis, prefix, instance, log, now })
  if ([...routes.values()].some(({ strategy }) => strategy !== 'ordered')) {
    await life.open(
      'target stats',
      () => targetStats.start(),
      () => targetStats.stop(),
    )
  }
  return {
    routes,
    answeredModels,
    cachedRoutes: cachedRoutesOf(config.models, new Map([...routes].map(([name, r]) => [name, r.targets]))),
    mirroredRoutes: mirroredRoutesOf(config, knownModels(config)),
    providers,
    accountAffinity: createAccountAffinity({ redis, prefix, providers, keyRings, log }),
    targetStats,
    order: createTargetOrder(targetStats.of),
    moveReasons: createMoveReasons(
      createUnavailableReason({ circuits, cooldowns, withoutWorkerSince }),
      now,
      (provider, reason) => {
        if (wantsWorker.has(reason)) telemetry.emit({ kind: 'job.passed_over', provider })
      },
    ),
    backoffOf: backoffsOf(config),
  }
}
