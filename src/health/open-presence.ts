import type { Cluster, Redis } from 'ioredis'
import type { Logger } from 'pino'
import type { Lifecycle } from '../lifecycle/lifecycle.ts'
import type { EndCounts } from '../telemetry/counts.ts'
import { createProcessHeartbeat, type ProcessHeartbeat } from './heartbeats.ts'
import type { Vitals } from './vitals.ts'

export interface HeartbeatDeps {
  readonly redis: Redis | Cluster
  readonly prefix: string
  readonly instance: string
  readonly ends: () => EndCounts
  readonly vitals: Vitals
  readonly log: Logger
  readonly now: () => number
}

/** Tells the cluster, and whoever asks this process, that it is here and what it ended. */
export const openHeartbeat = async (life: Lifecycle, parts: HeartbeatDeps): Promise<void> => {
  const { redis, prefix, instance, ends, vitals, log, now } = parts
  const describe = (): ProcessHeartbeat => ({ instance, ends: ends(), seenAtMs: now() })
  const heartbeat = createProcessHeartbeat(redis, prefix, log, describe)
  vitals.process(describe)
  await life.open(
    'heartbeat',
    () => heartbeat.start(),
    () => heartbeat.stop(),
  )
}
