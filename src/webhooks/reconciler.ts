import type { Logger } from 'pino'
import { deliveryEntry, webhookDoorbell } from '../jobs/doorbell.ts'
import type { Schedule } from '../jobs/schedule.ts'
import { createRepeating, type Repeating } from '../lifecycle/repeating.ts'
import { batchWebhookRing, type Doorbells } from '../queue/doorbells.ts'
import { settledAfterMs } from '../queue/reconciler.ts'
import type { OwedAnnouncements } from './owed.ts'

const pollMs = 2_000
const perShard = 100

export interface OwedReconcilerDeps {
  readonly owed: OwedAnnouncements
  readonly schedule: Schedule
  readonly doorbells: Doorbells
  readonly log: Logger
  readonly now: () => number
}

/** Puts back the doorbells of batches' webhooks that are owed and that nothing will ring any more. */
export const reconcileOwed = async ({
  owed,
  schedule,
  doorbells,
  log,
  now,
}: OwedReconcilerDeps): Promise<void> => {
  const attend = async (batchId: string): Promise<void> => {
    const delivery = await owed.look(batchId)
    if (delivery === null || delivery.lastDueAtMs + settledAfterMs > now()) return
    const { attempts } = delivery
    const doorbell = webhookDoorbell(batchId, attempts)
    if ((await schedule.has([doorbell, deliveryEntry(batchId, attempts)])).includes(true)) return
    const { queue, ...entry } = batchWebhookRing(doorbell, now())
    if ((await doorbells.areWaiting(queue, [entry])).includes(true)) return
    if (await owed.recover(batchId, attempts))
      log.warn(
        { event: 'webhook.recovered', batchId, attempt: attempts + 1 },
        'webhook recovered by the reconciler',
      )
  }

  const ids = await owed.notSeenSince(now() - settledAfterMs, perShard)
  await Promise.all(ids.map(attend))
}

/** Runs in every process; `mayWalk` lets one do it at a time. */
export const createOwedReconciler = (parts: OwedReconcilerDeps, mayWalk: () => Promise<boolean>): Repeating =>
  createRepeating(
    'owed webhooks',
    pollMs,
    async () => {
      if (await mayWalk()) await reconcileOwed(parts)
    },
    parts.log,
  )
