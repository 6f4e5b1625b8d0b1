import { wholeSeconds } from '../jobs/view.ts'
import { isBatchId } from '../redis/keys.ts'
import { type BatchRecord, type Blocking, hasEnded, type Warning } from './record.ts'

/**
 * A batch as OpenAI's clients and its webhook see it; `providers`, `cost_usd`, `max_cost_usd`, `retry_of`,
 * `blocked`, `estimated_completion_at`, `warning` and `webhook` are this server's own.
 */
export const batchView = (batch: BatchRecord) => {
  const { status, counts, usage } = batch
  const endedAs = (wanted: typeof status): number | null =>
    status === wanted ? seconds(batch.endedAtMs) : null
  return {
    id: batch.id,
    object: 'batch' as const,
    endpoint: batch.endpoint,
    model: batch.model,
    errors: status === 'failed' ? { object: 'list' as const, data: batch.faults } : null,
    input_file_id: batch.inputFileId,
    completion_window: batch.completionWindow,
    status,
    // A file is there once the batch has ended, and only when it has lines.
    output_file_id: hasEnded(status) && batch.outputBytes > 0 ? batch.outputFileId : null,
    error_file_id: hasEnded(status) && batch.errorBytes > 0 ? batch.errorFileId : null,
    created_at: wholeSeconds(batch.createdAtMs),
    in_progress_at: seconds(batch.inProgressAtMs),
    expires_at: wholeSeconds(batch.expiresAtMs),
    finalizing_at: seconds(batch.finalizingAtMs),
    completed_at: endedAs('completed'),
    failed_at: endedAs('failed'),
    expired_at: endedAs('expired'),
    cancelling_at: seconds(batch.cancellingAtMs),
    cancelled_at: endedAs('cancelled'),
    request_counts: {
      total: batch.total ?? 0,
      completed: counts.succeeded,
      failed: counts.errored + counts.canceled + counts.expired,
    },
    usage: {
      input_tokens: usage.input_tokens,
      input_tokens_details: { cached_tokens: usage.cache_read_tokens ?? 0 },
      output_tokens: usage.output_tokens,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: usage.input_tokens + usage.output_tokens,
    },
    metadata: batch.metadata,
    providers: batch.providers,
    cost_usd: batch.costUsd,
    max_cost_usd: batch.maxCostUsd,
    retry_of: batch.retryOf,
    blocked: whyBlocked(batch, wholeSeconds),
    ...outlook(batch, wholeSeconds),
    webhook: webhookView(batch),
  }
}

export type BatchView = ReturnType<typeof batchView>

/** Results of a message batch can be fetched for this long. */
export const resultsLiveMs = 29 * 86_400_000

/** How far a message batch is: its results that can be read by now, by their kinds. */
const progressOf = ({ total, counts, collected }: BatchRecord) => ({
  total: total ?? 0,
  processing: Math.max((total ?? 0) - collected, 0),
  ...counts,
})

/**
 * A batch as Anthropic's clients see it: all its requests are in processing until it ends, and `progress`, which is this
 * server's own, says how far it is. `publicUrl` is where they
 * reach this server, without a slash at the end: they fetch `results_url` as it stands.
 */
export const messageBatchView = (batch: BatchRecord, publicUrl: string, nowMs: number) => {
  const ended = hasEnded(batch.status)
  const archivedAtMs = batch.createdAtMs + resultsLiveMs
  const isArchived = archivedAtMs <= nowMs
  return {
    id: batch.id,
    type: 'message_batch' as const,
    processing_status: processingStatus(batch),
    request_counts: ended
      ? { processing: 0, ...batch.counts }
      : { processing: batch.total ?? 0, succeeded: 0, errored: 0, canceled: 0, expired: 0 },
    progress: progressOf(batch),
    created_at: iso(batch.createdAtMs),
    expires_at: iso(batch.expiresAtMs),
    ended_at: ended && batch.endedAtMs !== null ? iso(batch.endedAtMs) : null,
    cancel_initiated_at: batch.cancellingAtMs === null ? null : iso(batch.cancellingAtMs),
    archived_at: isArchived ? iso(archivedAtMs) : null,
    results_url: ended && !isArchived ? `${publicUrl}/v1/messages/batches/${batch.id}/results` : null,
    providers: batch.providers,
    cost_usd: batch.costUsd,
    max_cost_usd: batch.maxCostUsd,
    retry_of: batch.retryOf,
    blocked: whyBlocked(batch, iso),
    ...outlook(batch, iso),
    webhook: webhookView(batch),
  }
}

export type MessageBatchView = ReturnType<typeof messageBatchView>

/** Why it cannot go on before a person acts; null while it goes on, and of one that is at its end or on its way there. */
const whyBlocked = <Time>({ blocked, status }: BatchRecord, timeOf: (ms: number) => Time) =>
  blocked === null || hasEnded(status) || status === 'cancelling' ? null : withTime(blocked, timeOf)

const withTime = <Time>({ sinceMs, ...rest }: Blocking, timeOf: (ms: number) => Time) => ({
  ...rest,
  since: timeOf(sinceMs),
})

/** When it is likely to be done, and whether that is too late; null of one that is at its end or on its way there. */
const outlook = <Time>(batch: BatchRecord, timeOf: (ms: number) => Time) => {
  const { estimateMs, warning, status } = batch
  const isOver = hasEnded(status) || status === 'cancelling'
  return {
    estimated_completion_at: isOver || estimateMs === null ? null : timeOf(estimateMs),
    warning: isOver || warning === null ? null : withWarning(warning, estimateMs, timeOf),
  }
}

/** What is known now counts, where there is something newer than at the warning. */
const withWarning = <Time>(
  { code, sinceMs, estimateMs }: Warning,
  nowKnownMs: number | null,
  timeOf: (ms: number) => Time,
) => {
  const untilMs = nowKnownMs ?? estimateMs
  return {
    code,
    message: sayLate(untilMs),
    since: timeOf(sinceMs),
    estimated_completion_at: timeOf(untilMs),
  }
}

/** The same of a notice, in the words of the kind of client that made the batch. */
export const warningView = (warning: Warning, batchId: string): object =>
  isBatchId(batchId, 'openai') ? withWarning(warning, null, wholeSeconds) : withWarning(warning, null, iso)

/** The same of a notice, in the words of the kind of client that made the batch. */
export const blockedView = (blocked: Blocking, batchId: string): object =>
  isBatchId(batchId, 'openai') ? withTime(blocked, wholeSeconds) : withTime(blocked, iso)

/** How far its announcement is, without the secret. */
const webhookView = ({ webhook, delivery }: BatchRecord) =>
  webhook && delivery && { url: webhook.url, status: delivery.status, attempts: delivery.attempts }

const processingStatus = ({ status }: BatchRecord): 'in_progress' | 'canceling' | 'ended' => {
  if (hasEnded(status)) return 'ended'
  return status === 'cancelling' ? 'canceling' : 'in_progress'
}

const seconds = (ms: number | null): number | null => (ms === null ? null : wholeSeconds(ms))

export const sayLate = (estimateMs: number): string =>
  `At the speed that its queue has now, the batch is done at about ${minutes(estimateMs)}, after its window has passed.`

/** For a person: 2026-03-01T12:34Z. */
const minutes = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16)}Z`

/** RFC 3339 with microseconds, as Anthropic writes it. */
const iso = (ms: number): string => new Date(ms).toISOString().replace('Z', '000Z')
