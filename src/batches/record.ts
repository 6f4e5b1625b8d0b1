import type { Dialect, Endpoint } from '../domain/endpoint.ts'
import type { DeliveryStatus, Usage, WebhookTarget } from '../domain/job.ts'
import type { BlockReason } from '../domain/obstacle.ts'
import { noHeaders, type RequestHeaders } from '../domain/request-headers.ts'
import { costUnits } from '../domain/usage.ts'
import { parseSegment, type Segment } from '../files/record.ts'
import type { RecordFields } from '../jobs/record.ts'

/**
 * validating → in_progress → finalizing → completed | expired; validating → failed; any of the first three →
 * cancelling → cancelled. Both kinds of clients are shown their own words for these.
 */
export const batchStatuses = [
  'validating',
  'in_progress',
  'finalizing',
  'cancelling',
  'completed',
  'failed',
  'expired',
  'cancelled',
] as const
export type BatchStatus = (typeof batchStatuses)[number]

export const endedBatchStatuses = ['completed', 'failed', 'expired', 'cancelled'] as const
export type EndedBatchStatus = (typeof endedBatchStatuses)[number]

export const hasEnded = (status: BatchStatus): status is EndedBatchStatus =>
  (endedBatchStatuses as readonly string[]).includes(status)

/** What is wrong with an input file, as `errors.data` of OpenAI's batch shows it. `line` counts physical lines from 1. */
export interface BatchFault {
  readonly code: string
  readonly message: string
  readonly param: string | null
  readonly line: number | null
}

/** How lines ended; their sum is the number of lines in the output files. */
export interface LineCounts {
  readonly succeeded: number
  readonly errored: number
  readonly canceled: number
  readonly expired: number
}

/** Why a batch cannot go on before a person acts. */
export interface Blocking {
  readonly reason: BlockReason
  /** The provider's own words. */
  readonly message: string
  readonly provider: string
  readonly model: string
  readonly sinceMs: number
}

/** That a batch is not done in its window, by the speed that its queue has now. */
export interface Warning {
  readonly code: 'deadline_at_risk'
  readonly sinceMs: number
  /** When it is likely to be done, as it was known then. */
  readonly estimateMs: number
}

/** A batch as its record holds it. Times are Unix ms. */
export interface BatchRecord {
  readonly id: string
  readonly tenant: string
  readonly dialect: Dialect
  readonly endpoint: Endpoint
  readonly status: BatchStatus
  /** The file that a client named; null for a batch whose requests came in its own document. */
  readonly inputFileId: string | null
  readonly input: readonly Segment[]
  /** As the client wrote it: `24h`. */
  readonly completionWindow: string
  readonly createdAtMs: number
  readonly expiresAtMs: number
  readonly inProgressAtMs: number | null
  readonly cancellingAtMs: number | null
  readonly finalizingAtMs: number | null
  /** When it reached the status it ended in. */
  readonly endedAtMs: number | null
  /** Requests in the input; null until it is validated. */
  readonly total: number | null
  /** The model, when all requests name the same. */
  readonly model: string | null
  readonly faults: readonly BatchFault[]
  /** Lines that are durable in the output files. */
  readonly counts: LineCounts
  readonly usage: Usage
  /** Null as long as no answer had a price. */
  readonly costUsd: number | null
  /** US dollars after which no more lines are begun; null for no limit. */
  readonly maxCostUsd: number | null
  /** Lines answered by each provider. */
  readonly providers: Readonly<Record<string, number>>
  /** Collected lines that were jobs, answered or not. */
  readonly endedJobs: number
  /** Made with the batch; a file without lines gets no record. Anthropic's results are all in the first. */
  readonly outputFileId: string
  readonly errorFileId: string
  readonly outputBytes: number
  readonly errorBytes: number
  /** How long the output files live, from their creation at the batch's end; null for the configured time. */
  readonly outputExpiresAfterMs: number | null
  readonly metadata: Readonly<Record<string, string>> | null
  readonly webhook: WebhookTarget | null
  readonly delivery: {
    readonly status: DeliveryStatus
    readonly attempts: number
    readonly reason: string | null
  } | null
  readonly deliveriesBefore: number
  /** The `anthropic-version` the client sent: it decides how params are judged. */
  readonly apiVersion: string | null
  /** Those of the client's request that go on to the provider with each line. */
  readonly headers: RequestHeaders
  /** The batch whose failed lines these are. */
  readonly retryOf: string | null
  /** Null while it goes on. */
  readonly blocked: Blocking | null
  /** When it is likely to be done; null where that is not known. */
  readonly estimateMs: number | null
  /** Null while it is likely to be done in its window. */
  readonly warning: Warning | null
  readonly cursor: FeedCursor
  /** Lines in the output files: the sum of `counts`. */
  readonly collected: number
}

/** Up to where the input has been fed. */
export interface FeedCursor {
  /** Requests fed: the next one has this number plus 1. */
  readonly fed: number
  /** Byte and physical line up to which the input was read. */
  readonly offset: number
  readonly line: number
  /** Every job up to this number has been collected. */
  readonly lowWatermark: number
  /** Bytes of the requests that are fed and not collected. */
  readonly openBytes: number
}

const time = (text: string | undefined): number | null => (text ? Number(text) : null)
const count = (text: string | undefined): number => Number(text ?? 0)
const json = <T>(text: string | undefined): T | null => (text ? (JSON.parse(text) as T) : null)

const providerField = 'by:'

const providersOf = (fields: RecordFields): Record<string, number> => {
  const providers: Record<string, number> = {}
  for (const [name, value] of Object.entries(fields)) {
    if (name.startsWith(providerField)) providers[name.slice(providerField.length)] = Number(value)
  }
  return providers
}

const cursorOf = (fields: RecordFields): FeedCursor => ({
  fed: count(fields.fed),
  offset: count(fields.offset),
  line: count(fields.line),
  lowWatermark: count(fields.low),
  openBytes: count(fields.open_bytes),
})

/** The delivery of a batch's webhook, or of a notice. */
export const deliveryOf = (fields: RecordFields): BatchRecord['delivery'] =>
  fields.webhook
    ? {
        status: (fields.delivery as DeliveryStatus | undefined) ?? 'pending',
        attempts: count(fields.deliveries),
        reason: fields.delivery_reason ?? null,
      }
    : null

/** Reads a record as Redis returns it; null when there is none. */
export const parseBatch = (fields: RecordFields): BatchRecord | null => {
  if (!fields.status) return null
  const counts = {
    succeeded: count(fields.succeeded),
    errored: count(fields.errored),
    canceled: count(fields.canceled),
    expired: count(fields.expired),
  }
  return {
    id: fields.id!,
    tenant: fields.tenant!,
    dialect: fields.dialect as Dialect,
    endpoint: fields.endpoint as Endpoint,
    status: fields.status as BatchStatus,
    inputFileId: fields.input_file ?? null,
    input: (json<string[]>(fields.input) ?? []).map(parseSegment),
    completionWindow: fields.window!,
    createdAtMs: Number(fields.created),
    expiresAtMs: Number(fields.expires),
    inProgressAtMs: time(fields.in_progress_at),
    cancellingAtMs: time(fields.cancelling_at),
    finalizingAtMs: time(fields.finalizing_at),
    endedAtMs: time(fields.ended_at),
    total: fields.total === undefined ? null : Number(fields.total),
    model: fields.model ?? null,
    faults: json<BatchFault[]>(fields.faults) ?? [],
    counts,
    usage: {
      input_tokens: count(fields.input_tokens),
      output_tokens: count(fields.output_tokens),
      cache_read_tokens: count(fields.cached_tokens),
    },
    costUsd: fields.cost === undefined ? null : Number(fields.cost) / costUnits,
    maxCostUsd: fields.max_cost === undefined ? null : Number(fields.max_cost),
    providers: providersOf(fields),
    endedJobs: count(fields.ended_jobs),
    outputFileId: fields.output_file!,
    errorFileId: fields.error_file!,
    outputBytes: count(fields.output_bytes),
    errorBytes: count(fields.error_bytes),
    outputExpiresAfterMs: time(fields.output_ttl),
    metadata: json(fields.metadata),
    webhook: json<WebhookTarget>(fields.webhook),
    delivery: deliveryOf(fields),
    deliveriesBefore: count(fields.deliveries_before),
    apiVersion: fields.api_version ?? null,
    headers: json<RequestHeaders>(fields.headers) ?? noHeaders,
    retryOf: fields.retry_of ?? null,
    blocked: json<Blocking>(fields.blocked),
    estimateMs: time(fields.estimate),
    warning: json<Warning>(fields.warning),
    cursor: cursorOf(fields),
    collected: counts.succeeded + counts.errored + counts.canceled + counts.expired,
  }
}
