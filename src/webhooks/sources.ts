import { isTerminal } from '../domain/job.ts'
import { type BatchRecord, hasEnded } from '../store/batch-record.ts'
import type { Deliveries } from '../store/deliveries.ts'
import type { JobRecord } from '../store/job-record.ts'
import { jobView } from '../store/job-view.ts'
import type { DeliverySource } from './deliver-webhook.ts'
import { batchEvent, type FinishedJobView, jobEvent } from './event.ts'

type Read<Record> = (id: string) => Promise<Record | null>

export const jobSource = (deliveries: Deliveries, read: Read<JobRecord>): DeliverySource => ({
  idName: 'jobId',
  deliveries,
  announcement: async id => {
    const record = await read(id)
    if (!record?.webhook || !isTerminal(record.status) || record.delivery?.status !== 'pending') return null
    return {
      webhook: record.webhook,
      attempts: record.delivery.attempts,
      attemptsBefore: record.deliveriesBefore,
      event: jobEvent(jobView(record) as FinishedJobView),
    }
  },
})

/** `viewOf`: the batch as `GET` shows it to the kind of client that made it. */
export const batchSource = (
  deliveries: Deliveries,
  read: Read<BatchRecord>,
  viewOf: (record: BatchRecord) => object,
): DeliverySource => ({
  idName: 'batchId',
  deliveries,
  announcement: async id => {
    const record = await read(id)
    if (!record?.webhook || !hasEnded(record.status) || record.delivery?.status !== 'pending') return null
    const { status, endedAtMs } = record
    return {
      webhook: record.webhook,
      attempts: record.delivery.attempts,
      attemptsBefore: record.deliveriesBefore,
      event: batchEvent({ id, status, endedAtMs: endedAtMs!, view: viewOf(record) }),
    }
  },
})
