import type { Cluster, Redis } from 'ioredis'
import type { Logger } from 'pino'
import type { Lifecycle } from '../lifecycle/lifecycle.ts'
import type { Counts } from '../telemetry/counts.ts'
import { type CircuitStore, createCircuitStore } from './circuit-store.ts'
import { type Circuits, createCircuits } from './circuits.ts'
import { type Cooldowns, type CooldownsOptions, createCooldowns } from './cooldowns.ts'
import { createProcessHeartbeat, type ProcessHeartbeat } from './heartbeats.ts'
import type { Vitals } from './vitals.ts'

export interface HealthDeps extends CooldownsOptions {
  /** Whether a provider is checked while no job calls it. */
  readonly isChecked: (provider: string) => boolean
}

export interface OpenHealth {
  readonly cooldowns: Cooldowns
  readonly circuitStore: CircuitStore
  readonly circuits: Circuits
}

/** What the cluster knows of its providers, as one process keeps up with it until it stops. */
export const openHealth = async (life: Lifecycle, site: HealthDeps): Promise<OpenHealth> => {
  const circuitStore = createCircuitStore(site.redis, site.prefix, site.now)
  const cooldowns = await life.open(
    'health',
    async () => {
      const cooldowns = createCooldowns(site)
      await cooldowns.start()
      return cooldowns
    },
    cooldowns => cooldowns.stop(),
  )
  const circuits = await life.open(
    'circuits',
    async () => {
      const circuits = createCircuits({ ...site, store: circuitStore, random: Math.random })
      await circuits.start()
      return circuits
    },
    circuits => circuits.stop(),
  )
  return { cooldowns, circuitStore, circuits }
}

interface HeartbeatDeps {
  readonly redis: Redis | Cluster
  readonly prefix: string
  readonly instance: string
  readonly counts: Pick<Counts, 'ends' | 'accepted' | 'passedOver'>
  readonly version: string
  /** Of the config, as `versionOf` has it. */
  readonly config: string
  readonly hostOffMs: () => number
  readonly vitals: Vitals
  readonly log: Logger
  readonly now: () => number
}

/** Publishes this process and the jobs that it took and ended, to the cluster and on the admin port. */
export const openHeartbeat = async (life: Lifecycle, parts: HeartbeatDeps): Promise<void> => {
  const { redis, prefix, instance, version, config, counts, vitals, log, now } = parts
  const openedAtMs = now()
  const describe = (): ProcessHeartbeat => ({
    ...{ instance, version, config, openedAtMs, hostOffMs: parts.hostOffMs(), seenAtMs: now() },
    ...(vitals.isRetiring && { retiring: true }),
    ...{ ends: counts.ends(), accepted: counts.accepted(), passedOver: counts.passedOver() },
  })
  const heartbeat = createProcessHeartbeat(redis, prefix, log, describe)
  vitals.process(describe)
  await life.open(
    'heartbeat',
    () => heartbeat.start(),
    () => heartbeat.stop(),
  )
}
