import { identityOf } from '../config/identity.ts'
import { healthCheckOf } from '../config/provider-settings.ts'
import type { Config } from '../config/schema.ts'
import { circuitOf } from '../domain/circuit.ts'
import type { ObstacleOf } from '../domain/obstacle.ts'
import type { RouteTarget } from '../domain/routing/chain.ts'
import type { CircuitStore } from '../health/circuit-store.ts'
import type { Circuits } from '../health/circuits.ts'
import type { Cooldowns } from '../health/cooldowns.ts'
import { readAllWorkers } from '../health/heartbeats.ts'
import { createKeyRing, type KeyRing } from '../health/key-ring.ts'
import { createObstacleOf } from '../health/obstacles.ts'
import { openHealth } from '../health/open-health.ts'
import { createWorkerLiveness, type WorkerLiveness, withoutWorkerForMs } from '../health/worker-liveness.ts'
import type { Lifecycle } from '../lifecycle/lifecycle.ts'
import type { Foundation } from './foundation.ts'

/** What this process knows of its providers: whether a target can be called, since when not, and why. */
export interface TargetHealth {
  readonly cooldowns: Cooldowns
  readonly circuits: Circuits
  readonly circuitStore: CircuitStore
  readonly keyRings: ReadonlyMap<string, KeyRing>
  readonly workerLiveness: WorkerLiveness
  /** Unix ms until which throttling, or a lack of usable keys or of workers, keeps a target out of use; 0 for none. */
  readonly suspendedUntil: (target: RouteTarget) => number
  /** Unix ms from which a job may be sent to a target; 0 for now. Draws where only a share is sent. */
  readonly availableAt: (target: RouteTarget) => number
  readonly obstacleOf: ObstacleOf
}

const keysOf = ({ api_key, api_keys }: Config['providers'][string]): readonly string[] =>
  api_keys ?? (api_key ? [api_key] : [])

const openWorkerLiveness = (
  life: Lifecycle,
  { config, redis, log, now }: Foundation,
): Promise<WorkerLiveness> =>
  life.open(
    'worker liveness',
    () => {
      const liveness = createWorkerLiveness({
        providers: Object.keys(config.providers),
        workers: () => readAllWorkers(redis, config.redis.prefix),
        afterMs: config.jobs.worker_missing_after,
        log,
        now,
      })
      liveness.start()
      return liveness
    },
    liveness => liveness.stop(),
  )

export const openTargetHealth = async (life: Lifecycle, foundation: Foundation): Promise<TargetHealth> => {
  const { config, redis, subscriber, log, now } = foundation
  const isChecked = (name: string): boolean =>
    config.providers[name] !== undefined && healthCheckOf(config.providers[name]) !== null
  const { cooldowns, circuitStore, circuits } = await openHealth(life, {
    redis,
    subscriber,
    prefix: config.redis.prefix,
    isChecked,
    log,
    now,
  })
  const keyRings = new Map(
    Object.entries(config.providers).map(([name, p]) => [
      name,
      createKeyRing(name, keysOf(p), cooldowns, identityOf(p)),
    ]),
  )
  const workerLiveness = await openWorkerLiveness(life, foundation)
  const { withoutWorkerSince } = workerLiveness

  const suspendedUntil = (target: RouteTarget): number =>
    Math.max(
      cooldowns.unavailableUntil(target),
      keyRings.get(target.provider)?.unavailableUntil() ?? 0,
      withoutWorkerSince(target.provider) > 0 ? now() + withoutWorkerForMs : 0,
    )
  return {
    cooldowns,
    circuits,
    circuitStore,
    keyRings,
    workerLiveness,
    suspendedUntil,
    availableAt: target =>
      suspendedUntil(target) || circuits.sendsAt(target.provider) || circuits.sendsAt(circuitOf(target)),
    obstacleOf: createObstacleOf({ circuits, cooldowns, keyRings, withoutWorkerSince }),
  }
}
