import type { Lifecycle } from '../lifecycle/lifecycle.ts'
import { type CircuitStore, createCircuitStore } from './circuit-store.ts'
import { type Circuits, createCircuits } from './circuits.ts'
import { type Cooldowns, type CooldownsOptions, createCooldowns } from './cooldowns.ts'

export interface HealthDeps extends CooldownsOptions {
  /** Whether a provider is asked how it is while nobody calls it. */
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
