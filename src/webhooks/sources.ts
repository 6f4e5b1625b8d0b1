import { type BatchRecord, hasEnded, parseBatch } from '../batches/record.ts'
import { type NoticeRecord, parseNotice } from '../batches/store.ts'
import { blockedView, warningView } from '../batches/view.ts'
import { isTerminal } from '../domain/job.ts'
import { parseRecord } from '../jobs/record.ts'
import { jobView } from '../jobs/view.ts'
import { batchOfNotice } from '../redis/keys.ts'
import type { DeliverySource } from './deliver-webhook.ts'
import type { Deliveries } from './deliveries.ts'
import { batchEvent, type FinishedJobView, jobEvent, type NotedBatch, noticeEvent } from './event.ts'

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

const reasonOf = (
  { blocked, warning }: NoticeRecord,
  batchId: string,
): Pick<NotedBatch, 'type' | 'sinceMs' | 'why'> | null => {
  if (blocked !== null)
    return {
      type: 'batch.blocked',
      sinceMs: blocked.sinceMs,
      why: { blocked: blockedView(blocked, batchId) },
    }
  if (warning !== null)
    return {
      type: 'batch.at_risk',
      sinceMs: warning.sinceMs,
      why: { warning: warningView(warning, batchId) },
    }
  return null
}

/** Notices that a batch is blocked, or at risk. `read`: the batch as it is when the notice is sent. */
export const noticeSource = (
  deliveries: Deliveries,
  read: (batchId: string) => Promise<BatchRecord | null>,
  viewOf: (record: BatchRecord) => object,
): DeliverySource => ({
  idName: 'batchId',
  deliveries,
  announcement: async (id, fields) => {
    const notice = parseNotice(fields)
    const batchId = batchOfNotice(id)
    const reason = notice && reasonOf(notice, batchId)
    if (reason === null) return null
    const batch = await read(batchId)
    const event = noticeEvent({ id: batchId, noticeId: id, ...reason, view: batch && viewOf(batch) })
    return { webhook: notice!.webhook, event }
  },
})
