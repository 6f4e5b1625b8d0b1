import { isTerminal } from '../domain/job.ts'
import { type BatchRecord, hasEnded, parseBatch } from '../store/batch-record.ts'
import type { Deliveries } from '../store/deliveries.ts'
import { parseRecord } from '../store/job-record.ts'
import { jobView } from '../store/job-view.ts'
import type { DeliverySource } from './deliver-webhook.ts'
import { batchEvent, type FinishedJobView, jobEvent } from './event.ts'

export const jobSource = (deliveries: Deliveries): DeliverySource => ({
  idName: 'jobId',
  deliveries,
  announcement: async (id, attempt) => {
    const fields = await deliveries.takeDelivery(id, attempt)
    const record = fields && parseRecord(id, fields)
    if (!record?.webhook || !isTerminal(record.status)) return null
    return {
      webhook: record.webhook,
      attemptsBefore: record.deliveriesBefore,
      event: jobEvent(jobView(record) as FinishedJobView),
    }
  },
})

/** `viewOf`: the batch as `GET` shows it to the kind of client that made it. */
export const batchSource = (
  deliveries: Deliveries,
  viewOf: (record: BatchRecord) => object,
): DeliverySource => ({
  idName: 'batchId',
  deliveries,
  announcement: async (id, attempt) => {
    const fields = await deliveries.takeDelivery(id, attempt)
    const record = fields && parseBatch(fields)
    if (!record?.webhook || !hasEnded(record.status)) return null
    const { status, endedAtMs } = record
    return {
      webhook: record.webhook,
      attemptsBefore: record.deliveriesBefore,
      event: batchEvent({ id, status, endedAtMs: endedAtMs!, view: viewOf(record) }),
    }
  },
})
