import { z } from 'zod'
import { batchStatuses } from '../../batches/record.ts'
import type { BatchView } from '../../batches/view.ts'
import { endpoints } from '../../domain/endpoint.ts'
import { blockReasons } from '../../domain/obstacle.ts'
import { contentResponses } from '../files/openapi.ts'
import { seconds, webhookView } from '../jobs/openapi.ts'
import {
  contentErrors,
  ignoredBodyErrors,
  jsonBodyErrors,
  parameterErrors,
  webhookErrors,
} from '../openapi/error-sets.ts'
import type { Operations } from '../openapi/operation.ts'
import { forwardedHeaders, idempotencyHeaders, idOf, rangeHeaders } from '../openapi/request-headers.ts'
import {
  batchCheckRequest,
  batchContentQuery,
  batchListQuery,
  batchRequest,
  batchRetryRequest,
} from './request-schemas.ts'

const fault = z.object({
  code: z.string(),
  message: z.string(),
  param: z.string().nullable(),
  line: z.int().nullable(),
})

/** Why a batch cannot go on before a person acts. */
export const blockedSince = <Time extends z.ZodType>(since: Time) =>
  z
    .object({
      reason: z.enum(blockReasons),
      message: z.string(),
      provider: z.string(),
      model: z.string(),
      since,
    })
    .nullable()

/** When it is likely to be done, and a warning where its window has passed by then. */
export const outlook = <Time extends z.ZodType>(time: Time) => ({
  estimated_completion_at: time.nullable(),
  warning: z
    .object({
      code: z.literal('deadline_at_risk'),
      message: z.string(),
      since: time,
      estimated_completion_at: time,
    })
    .nullable(),
})

/** Fields that this server adds to those of OpenAI and Anthropic. */
export const ours = {
  providers: z.record(z.string(), z.int()),
  cost_usd: z.number().nullable(),
  max_cost_usd: z.number().nullable(),
  retry_of: z.string().nullable(),
  webhook: webhookView.nullable(),
}

export const batch = z
  .object({
    id: z.string(),
    object: z.literal('batch'),
    endpoint: z.enum(endpoints),
    model: z.string().nullable(),
    errors: z.object({ object: z.literal('list'), data: z.array(fault) }).nullable(),
    input_file_id: z.string().nullable(),
    completion_window: z.string(),
    status: z.enum(batchStatuses),
    output_file_id: z.string().nullable(),
    error_file_id: z.string().nullable(),
    created_at: seconds,
    in_progress_at: seconds.nullable(),
    expires_at: seconds,
    finalizing_at: seconds.nullable(),
    completed_at: seconds.nullable(),
    failed_at: seconds.nullable(),
    expired_at: seconds.nullable(),
    cancelling_at: seconds.nullable(),
    cancelled_at: seconds.nullable(),
    request_counts: z.object({ total: z.int(), completed: z.int(), failed: z.int() }),
    usage: z.object({
      input_tokens: z.int(),
      input_tokens_details: z.object({ cached_tokens: z.int() }),
      output_tokens: z.int(),
      output_tokens_details: z.object({ reasoning_tokens: z.int() }),
      total_tokens: z.int(),
    }),
    metadata: z.record(z.string(), z.string()).nullable(),
    ...ours,
    blocked: blockedSince(seconds),
    ...outlook(seconds),
  })
  .meta({ id: 'Batch' }) satisfies z.ZodType<BatchView>

export const batchList = z.object({
  object: z.literal('list'),
  data: z.array(batch),
  first_id: z.string().nullable(),
  last_id: z.string().nullable(),
  has_more: z.boolean(),
})

/** What a file of a batch may be here. */
export const batchCheck = z
  .object({
    object: z.literal('batch.check'),
    unknown_models: z.array(z.string()),
    max_lines: z.int(),
    max_file_bytes: z.int(),
    max_line_bytes: z.int(),
  })
  .meta({ id: 'BatchCheck' })

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
  'POST /v1/batches/check': {
    id: 'checkBatch',
    summary: 'Ask whether such a batch would be taken, before its file is sent',
    tag: 'Batches',
    body: batchCheckRequest,
    responses: { 200: { description: 'It would, from a file within these limits.', schema: batchCheck } },
    errors: [...jsonBodyErrors, ...parameterErrors, ...webhookErrors, 'price_unknown'],
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
