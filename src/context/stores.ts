import { type BatchStore, createBatchStore } from '../batches/store.ts'
import type { Clock } from '../clock/clock.ts'
import type { Config } from '../config/schema.ts'
import { tenantWeightsOf } from '../config/tenant-weights.ts'
import { createMetadataIndex } from '../jobs/list-entry.ts'
import { createJobStore } from '../jobs/store.ts'
import type { Announce, JobStore } from '../jobs/types.ts'
import type { Lifecycle } from '../lifecycle/lifecycle.ts'
import { createAnnounce } from '../queue/announce.ts'
import { createDoorbells, type Doorbells } from '../queue/doorbells.ts'
import type { RedisClient } from '../redis/connect.ts'
import type { Keys } from '../redis/keys.ts'
import type { RunScript } from '../redis/scripts.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { createBatchDeliveries, createJobDeliveries, type DeliveriesByKind } from '../webhooks/deliveries.ts'
import type { Foundation } from './foundation.ts'
import { openMaintenance } from './maintenance.ts'

/** A dead letter of a job can be sent again for this long. */
export const deadLetterRetentionMs = 7 * 86_400_000

/** The records of jobs, batches and deliveries, and the doorbells that call for them. */
export interface Stores {
  readonly store: JobStore
  readonly batches: BatchStore
  readonly deliveries: DeliveriesByKind
  readonly doorbells: Doorbells
}

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
  announce: Announce,
): JobStore =>
  createJobStore({
    redis,
    run,
    keys,
    leaseMs: config.jobs.lease,
    retentionMs: config.jobs.retention,
    index: createMetadataIndex(config.jobs.indexed_metadata),
    now,
    aheadMs,
    telemetry,
    announce,
  })

/** Opens the stores, and with them the sweeper and the reconcilers: every process takes part in those. */
export const openStores = async (life: Lifecycle, foundation: Foundation): Promise<Stores> => {
  const { config, redis, run, keys, hasTurn, clock, now, telemetry, log } = foundation
  const batches = createBatchStore({ redis, run, keys, now })
  const deliveries = deliveriesOn(redis, run, keys, config, now)
  const doorbells = createDoorbells(redis, run, keys, tenantWeightsOf(config))
  const announce = createAnnounce(doorbells, log, now)
  const store = storeOn(redis, run, keys, config, clock, telemetry, announce)
  await openMaintenance(life, {
    redis,
    run,
    keys,
    store,
    doorbells,
    hasTurn,
    readDelivery: batches.readDelivery,
    recoverDelivery: deliveries.jobs.recoverDelivery,
    leaseMs: config.jobs.lease,
    retentionMs: config.jobs.retention,
    index: createMetadataIndex(config.jobs.indexed_metadata),
    now,
    aheadMs: clock.aheadMs,
    steadySinceMs: clock.steadySinceMs,
    log,
  })
  return { store, batches, deliveries, doorbells }
}
