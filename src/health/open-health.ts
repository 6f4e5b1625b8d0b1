import type { Lifecycle } from '../lifecycle/lifecycle.ts'
import { type CircuitStore, createCircuitStore } from './circuit-store.ts'
import { type Circuits, createCircuits } from './circuits.ts'
import { createHealthBoard, type HealthBoard, type HealthBoardOptions } from './cooldowns.ts'

export interface HealthSite extends HealthBoardOptions {
  /** Whether a provider is asked how it is while nobody calls it. */
  readonly isChecked: (provider: string) => boolean
}

export interface OpenHealth {
  readonly board: HealthBoard
  readonly circuitStore: CircuitStore
  readonly circuits: Circuits
}

/** What the cluster knows of its providers, as one process keeps up with it until it stops. */
export const openHealth = async (life: Lifecycle, site: HealthSite): Promise<OpenHealth> => {
  const circuitStore = createCircuitStore(site.redis, site.prefix, site.now)
  const board = await life.open(
    'health',
    async () => {
      const board = createHealthBoard(site)
      await board.start()
      return board
    },
    board => board.stop(),
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
  return { board, circuitStore, circuits }
}
