import type { Cluster, Redis } from 'ioredis'
import { createIndexTrim } from '../jobs/index-trim.ts'
import type { MetadataIndex } from '../jobs/list-entry.ts'
import { createLiveWalk } from '../jobs/live-walk.ts'
import { createRelist } from '../jobs/relist.ts'
import { createSchedule } from '../jobs/schedule.ts'
import type { Lifecycle } from '../lifecycle/lifecycle.ts'
import { createReconciler, type ReconcilerDeps } from '../queue/reconciler.ts'
import { createSweeper, type SweeperDeps } from '../queue/sweeper.ts'
import type { Keys } from '../redis/keys.ts'
import type { RunScript } from '../redis/scripts.ts'
import { createOwedAnnouncements } from '../webhooks/owed.ts'
import { createOwedReconciler } from '../webhooks/reconciler.ts'

export interface MaintenanceDeps
  extends Omit<SweeperDeps, 'schedule'>,
    Pick<ReconcilerDeps, 'recoverDelivery'> {
  readonly redis: Redis | Cluster
  readonly run: RunScript
  readonly keys: Keys
  readonly aheadMs: Parameters<typeof createSchedule>[3]['aheadMs']
  readonly index: MetadataIndex
  readonly leaseMs: number
  readonly retentionMs: number
  /** Whether this process is the one to do something for now. */
  readonly hasTurn: (name: string) => Promise<boolean>
}

/** Those who see to what is owed, whoever promised it: every process takes part. */
export const openMaintenance = async (life: Lifecycle, site: MaintenanceDeps): Promise<void> => {
  const { redis, run, keys, now, hasTurn } = site
  const parts = { ...site, schedule: createSchedule(redis, run, keys, site) }
  const owed = createOwedAnnouncements({ redis, run, keys, now })
  const [trim, relist] = [createIndexTrim(site), createRelist(site)]
  const tasks = [
    createSweeper(parts, site.leaseMs),
    createReconciler({
      ...parts,
      walk: createLiveWalk(site),
      trim: {
        next: async perShard => {
          await trim.next(perShard)
          await relist.next()
        },
      },
      mayWalk: () => hasTurn('reconciler'),
    }),
    createOwedReconciler({ ...parts, owed }, () => hasTurn('owed')),
  ]
  for (const task of tasks) {
    await life.open(
      'maintenance',
      () => task.start(),
      () => task.stop(),
    )
  }
}
