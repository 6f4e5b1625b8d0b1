import { formatSegment } from '../files/segment.ts'
import type { NewBatch } from './store.ts'

/** A new batch put into words for its script. Only what is there is written. */
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
