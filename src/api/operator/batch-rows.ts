import type { LineStates } from '../../batches/all-batches.ts'
import { type BatchRecord, hasEnded } from '../../batches/record.ts'
import { plainUrl } from '../../jobs/plain-url.ts'
import { wholeSeconds } from '../../jobs/view.ts'
import type { BatchRow, OperatorBatchView } from './batch-view.ts'

/** A batch as lists for operators show it. `lines` is null where it is not known what is done with them. */
export const batchRow = (batch: BatchRecord, lines: LineStates | null): BatchRow => {
  const { status, blocked } = batch
  const isOver = hasEnded(status) || status === 'cancelling'
  return {
    id: batch.id,
    dialect: batch.dialect,
    tenant: batch.tenant,
    status,
    blocked:
      isOver || blocked === null
        ? null
        : {
            reason: blocked.reason,
            since: wholeSeconds(blocked.sinceMs),
            subject: `${blocked.provider}/${blocked.model}`,
          },
    total: batch.total,
    ...batch.counts,
    waiting: lines?.waiting ?? null,
    running: lines?.running ?? null,
    parked: lines?.parked ?? null,
    created_at: wholeSeconds(batch.createdAtMs),
    ended_at: batch.endedAtMs === null ? null : wholeSeconds(batch.endedAtMs),
    expires_at: wholeSeconds(batch.expiresAtMs),
    estimated_completion_at: isOver || batch.estimateMs === null ? null : wholeSeconds(batch.estimateMs),
    cost_usd: batch.costUsd,
    max_cost_usd: batch.maxCostUsd,
  }
}

/** The batch with what its own page shows. */
export const operatorBatchView = (batch: BatchRecord, lines: LineStates | null): OperatorBatchView => ({
  ...batchRow(batch, lines),
  model: batch.model,
  endpoint: batch.endpoint,
  retry_of: batch.retryOf,
  metadata: batch.metadata ?? {},
  providers: batch.providers,
  webhook: batch.webhook &&
    batch.delivery && {
      url: plainUrl(batch.webhook.url),
      status: batch.delivery.status,
      attempts: batch.delivery.attempts,
    },
  faults: batch.faults.map(({ line, code, message }) => ({ line, code, message })),
})
