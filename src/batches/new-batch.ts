import type { Dialect, Endpoint } from '../domain/endpoint.ts'
import type { WebhookTarget } from '../domain/job.ts'
import type { RequestHeaders } from '../domain/request-headers.ts'
import { formatSegment, type Segment } from '../files/record.ts'

export interface NewBatch {
  /** From `newBatchId`, in the shard of its input file. */
  readonly id: string
  readonly tenant: string
  readonly dialect: Dialect
  /** `/v1/messages` for Anthropic's. */
  readonly endpoint: Endpoint
  /**
   * The file to be read: it must be in the batch's shard, be the tenant's, and is kept until the batch has ended. Null for
   * requests that came in the batch's own document: the batch then owns the blobs of `input` and removes them at its end.
   */
  readonly inputFileId: string | null
  readonly input: readonly Segment[]
  readonly completionWindow: string
  readonly createdAtMs: number
  readonly expiresAtMs: number
  /** Requests in the input where that is known and the input was checked: the batch begins in progress. Else null. */
  readonly total: number | null
  /** The model, where all requests are known to name the same. */
  readonly model?: string
  readonly metadata: Readonly<Record<string, string>> | null
  readonly outputExpiresAfterMs: number | null
  readonly webhook: WebhookTarget | null
  /** US dollars after which no more lines are begun; null for no limit. */
  readonly maxCostUsd: number | null
  readonly apiVersion: string | null
  /** Those of the request that go on to the provider with each line. */
  readonly headers?: RequestHeaders
  readonly retryOf: string | null
  /** A text without spaces that is the same exactly when tenant and request are the same. */
  readonly fingerprint: string
  /** The client may have sent this before: a batch of the last hour with the same fingerprint is the answer. */
  readonly replay: boolean
}
/** The fields and values of a new batch for its script. Absent ones are not written. */
export const batchFields = (
  batch: NewBatch,
  files: { readonly output: string; readonly error: string },
): (string | number)[] => {
  const { total, metadata, webhook } = batch
  const fields: (string | number)[] = ['id', batch.id, 'tenant', batch.tenant]
  fields.push('dialect', batch.dialect, 'endpoint', batch.endpoint)
  fields.push('input', JSON.stringify(batch.input.map(formatSegment)))
  fields.push('window', batch.completionWindow, 'created', batch.createdAtMs, 'expires', batch.expiresAtMs)
  fields.push('output_file', files.output, 'error_file', files.error)
  if (total === null) fields.push('status', 'validating')
  else fields.push('status', 'in_progress', 'in_progress_at', batch.createdAtMs, 'total', total)
  if (batch.inputFileId !== null) fields.push('input_file', batch.inputFileId)
  if (batch.model !== undefined) fields.push('model', batch.model)
  if (metadata !== null) fields.push('metadata', JSON.stringify(metadata))
  if (batch.outputExpiresAfterMs !== null) fields.push('output_ttl', batch.outputExpiresAfterMs)
  if (webhook !== null) fields.push('webhook', JSON.stringify(webhook))
  if (batch.apiVersion !== null) fields.push('api_version', batch.apiVersion)
  if (batch.headers && Object.keys(batch.headers).length > 0)
    fields.push('headers', JSON.stringify(batch.headers))
  if (batch.maxCostUsd !== null) fields.push('max_cost', batch.maxCostUsd)
  if (batch.retryOf !== null) fields.push('retry_of', batch.retryOf)
  return fields
}
