import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { startSentinelTopology } from '../../harness/redis/topology.ts'
import type { FaultKind } from '../plan/faults.ts'
import { fillMemory } from './fill-memory.ts'
import type { ChaosRedis } from './redis.ts'

/** Beside the master. After a fail-over one of them is left, which is what a write asks for. */
const replicas = 2

/**
 * A master, two replicas and three Sentinels. A master that dies takes with it what it had not passed on. So
 * a client gets its answer when one replica has the write (`wait_replicas`), and a master without replicas
 * takes no writes (`min-replicas-to-write`), so that one that was cut off does not go on for itself.
 */
export const openSentinelRedis = async (): Promise<ChaosRedis> => {
  const topology = await startSentinelTopology({ replicas, minReplicasToWrite: 1 })
  const { sentinel } = topology.config as { sentinel: { name: string } }
  const connect = (): Redis =>
    new Redis({
      name: sentinel.name,
      sentinels: topology.sentinels.map(({ host, port }) => ({ host, port })),
      maxRetriesPerRequest: null,
    })

  /** The old master stays away for `forMs` after the new one is there, and comes back as its replica. */
  const failOver = async (forMs: number): Promise<string> => {
    const old = await topology.master()
    const heir = await topology.failover()
    await delay(forMs)
    await old.restart()
    return `${old.port} gave way to ${heir.port}`
  }

  const fill = async (forMs: number): Promise<string> => {
    const { host, port } = await topology.master()
    const master = new Redis(port, host, { maxRetriesPerRequest: 1 })
    try {
      return await fillMemory(master, forMs)
    } finally {
      master.disconnect()
    }
  }

  const acts: Partial<Record<FaultKind, (forMs: number) => Promise<string>>> = {
    'redis-failover': failOver,
    'redis-full': fill,
  }
  return {
    possible: Object.keys(acts) as FaultKind[],
    config: { ...topology.config, wait_replicas: 1 },
    envOf: () => ({}),
    connect,
    suffer: (kind, _, forMs) => acts[kind]!(forMs),
    close: topology.stop,
  }
}
