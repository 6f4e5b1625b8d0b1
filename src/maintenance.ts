import type { Cluster, Redis } from 'ioredis'
import { createJobIndex } from './jobs/index-stream.ts'
import { createAgenda } from './jobs/schedule.ts'
import type { Lifecycle } from './lifecycle/lifecycle.ts'
import { createPatrol } from './queue/reconciler.ts'
import { createSweeper, type SweepingParts } from './queue/sweeper.ts'
import type { Keys } from './redis/keys.ts'
import type { RunScript } from './redis/scripts.ts'
import { createOwedAnnouncements } from './webhooks/owed.ts'
import { createOwedPatrol } from './webhooks/reconciler.ts'

export interface CaretakerParts extends Omit<SweepingParts, 'agenda'> {
  readonly redis: Redis | Cluster
  readonly run: RunScript
  readonly keys: Keys
  readonly instance: string
  readonly aheadMs: Parameters<typeof createAgenda>[3]['aheadMs']
  readonly leaseMs: number
  /** Whether this process is the one to do something for now. */
  readonly hasTurn: (name: string) => Promise<boolean>
}

/** Those who see to what is owed, whoever promised it: every process takes part. */
export const openCaretakers = async (life: Lifecycle, site: CaretakerParts): Promise<void> => {
  const { redis, run, keys, instance, now } = site
  const parts = { ...site, agenda: createAgenda(redis, run, keys, site) }
  const index = createJobIndex(redis, keys, instance, now)
  const owed = createOwedAnnouncements({ redis, run, keys, now })
  const caretakers = [
    createSweeper(parts, site.leaseMs),
    createPatrol({ ...parts, index }),
    createOwedPatrol({ ...parts, owed }, () => site.hasTurn('owed')),
  ]
  for (const caretaker of caretakers) {
    await life.open(
      'caretaker',
      () => caretaker.start(),
      () => caretaker.stop(),
    )
  }
}
