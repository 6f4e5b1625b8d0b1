import type { Logger } from 'pino'
import { webhookDoorbell } from '../jobs/doorbell.ts'
import type { Announce } from '../jobs/types.ts'
import { isJobId } from '../redis/keys.ts'
import { batchWebhookRing, type Doorbells, jobWebhookRing } from './doorbells.ts'

/** Where a webhook became due, its first doorbell rings at once: a sweeper would come a quarter of a second later. */
export const createAnnounce =
  (doorbells: Pick<Doorbells, 'ring'>, log: Logger, now: () => number): Announce =>
  (id, tenant, dueAtMs) => {
    const doorbell = webhookDoorbell(id, 0)
    const ring = isJobId(id) ? jobWebhookRing(doorbell, tenant, now()) : batchWebhookRing(doorbell, now())
    doorbells
      // A worker may hold the delivery back before this is over: then its entry stands for another time, and stays.
      .ring({ ...ring, takenUntilMs: dueAtMs })
      .catch(error =>
        log.debug({ event: 'doorbell.deferred', err: error, id }, 'doorbell left to the sweeper'),
      )
  }
