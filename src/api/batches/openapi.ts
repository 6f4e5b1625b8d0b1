import { contentResponses } from '../files/openapi.ts'
import {
  contentErrors,
  ignoredBodyErrors,
  jsonBodyErrors,
  parameterErrors,
  webhookErrors,
} from '../openapi/error-sets.ts'
import type { Operations } from '../openapi/operation.ts'
import { forwardedHeaders, idempotencyHeaders, idOf, rangeHeaders } from '../openapi/request-headers.ts'
import { batchContentQuery, batchListQuery, batchRequest, batchRetryRequest } from './request-schemas.ts'
import { batch, batchList } from './response-schemas.ts'

const params = idOf('a batch')

export const batchOperations: Operations = {
  'POST /v1/batches': {
    id: 'createBatch',
    summary: 'Run the requests of a file',
    tag: 'Batches',
    headers: idempotencyHeaders.extend({ 'openai-beta': forwardedHeaders.shape['openai-beta'] }),
    body: batchRequest,
    responses: { 200: { description: 'The batch.', schema: batch } },
    errors: [
      'too_many_open_batches',
      ...jsonBodyErrors,
      ...parameterErrors,
      ...webhookErrors,
      'price_unknown',
      'file_not_found',
      'batch_not_found',
      'not_replicated',
      'storage_full',
    ],
  },
  'GET /v1/batches': {
    id: 'listBatches',
    summary: 'List batches, newest first',
    tag: 'Batches',
    query: batchListQuery,
    responses: { 200: { description: 'A page of batches.', schema: batchList } },
    errors: [...parameterErrors, 'invalid_cursor'],
  },
  'GET /v1/batches/:id': {
    id: 'readBatch',
    summary: 'Read a batch',
    tag: 'Batches',
    params,
    responses: { 200: { description: 'The batch.', schema: batch } },
    errors: ['batch_not_found'],
  },
  'GET /v1/batches/:id/content': {
    id: 'readBatchContent',
    summary: 'Read the output, also while the batch runs',
    tag: 'Batches',
    params,
    query: batchContentQuery,
    headers: rangeHeaders,
    responses: contentResponses('application/x-jsonl'),
    errors: [...parameterErrors, ...contentErrors, 'batch_not_found', 'file_not_found'],
  },
  'POST /v1/batches/:id/cancel': {
    id: 'cancelBatch',
    summary: 'Cancel a batch',
    tag: 'Batches',
    params,
    responses: { 200: { description: 'The batch, on its way to its end.', schema: batch } },
    errors: ['batch_not_found', 'batch_finished', ...ignoredBodyErrors],
  },
  'POST /v1/batches/:id/retry': {
    id: 'retryBatch',
    summary: 'Make a batch of the lines that failed',
    tag: 'Batches',
    params,
    headers: idempotencyHeaders,
    body: batchRetryRequest,
    bodyIsOptional: true,
    responses: { 200: { description: 'The new batch.', schema: batch } },
    errors: [
      'too_many_open_batches',
      ...jsonBodyErrors,
      ...parameterErrors,
      ...webhookErrors,
      'price_unknown',
      'batch_not_found',
      'batch_not_retryable',
      'file_not_found',
      'storage_unavailable',
      'not_replicated',
      'storage_full',
    ],
  },
}
