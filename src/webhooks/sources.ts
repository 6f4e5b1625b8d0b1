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
  announcement: (id, fields) => {
    const record = parseRecord(id, fields)
    if (!record?.webhook || !isTerminal(record.status)) return null
    return { webhook: record.webhook, event: jobEvent(jobView(record) as FinishedJobView) }
  },
})

/** `viewOf`: the batch as `GET` shows it to the kind of client that made it. */
export const batchSource = (
  deliveries: Deliveries,
  viewOf: (record: BatchRecord) => object,
): DeliverySource => ({
  idName: 'batchId',
  deliveries,
  announcement: (id, fields) => {
    const record = parseBatch(fields)
    if (!record?.webhook || !hasEnded(record.status)) return null
    const { status, endedAtMs } = record
    return {
      webhook: record.webhook,
      event: batchEvent({ id, status, endedAtMs: endedAtMs!, view: viewOf(record) }),
    }
  },
})
