import { z } from 'zod'
import type { MessageBatchView } from '../../batches/view.ts'
import { contentResponses } from '../files/openapi.ts'
import { completion } from '../jobs/request-schemas.ts'
import {
  contentErrors,
  ignoredBodyErrors,
  jsonBodyErrors,
  parameterErrors,
  webhookErrors,
} from '../openapi/error-sets.ts'
import type { Operations } from '../openapi/operation.ts'
import { forwardedHeaders, idempotencyHeaders, idOf, rangeHeaders } from '../openapi/request-headers.ts'
import { blockedSince, ours, outlook } from './openapi.ts'
import { messageBatchExtras, messageBatchListQuery, messageBatchRetryRequest } from './request-schemas.ts'

/** RFC 3339. */
const time = z.iso.datetime()

export const messageBatch = z
  .object({
    id: z.string(),
    type: z.literal('message_batch'),
    processing_status: z.enum(['in_progress', 'canceling', 'ended']),
    request_counts: z.object({
      processing: z.int(),
      succeeded: z.int(),
      errored: z.int(),
      canceled: z.int(),
      expired: z.int(),
    }),
    /** How far it is while it runs; `request_counts` rest in `processing` until the end. */
    progress: z.object({
      total: z.int(),
      processing: z.int(),
      succeeded: z.int(),
      errored: z.int(),
      canceled: z.int(),
      expired: z.int(),
    }),
    created_at: time,
    expires_at: time,
    ended_at: time.nullable(),
    cancel_initiated_at: time.nullable(),
    archived_at: time.nullable(),
    results_url: z.string().nullable(),
    ...ours,
    blocked: blockedSince(time),
    ...outlook(time),
  })
  .meta({ id: 'MessageBatch' }) satisfies z.ZodType<MessageBatchView>

export const messageBatchList = z.object({
  data: z.array(messageBatch),
  has_more: z.boolean(),
  first_id: z.string().nullable(),
  last_id: z.string().nullable(),
})

export const deletedMessageBatch = z.object({ id: z.string(), type: z.literal('message_batch_deleted') })

const params = idOf('a message batch')
const lines = contentResponses('application/x-jsonl')

/** Read as a stream by the route, and not by this: a document may be larger than what fits into memory. */
const messageBatchRequest = z.object({
  requests: z.array(z.object({ custom_id: z.string(), params: completion })).min(1),
  ...messageBatchExtras.shape,
})

export const messageBatchOperations: Operations = {
  'POST /v1/messages/batches': {
    id: 'createMessageBatch',
    summary: 'Run the requests of a document',
    tag: 'Message batches',
    headers: idempotencyHeaders.extend({ 'anthropic-beta': forwardedHeaders.shape['anthropic-beta'] }),
    body: messageBatchRequest,
    responses: { 200: { description: 'The batch.', schema: messageBatch } },
    errors: [
      'too_many_open_batches',
      'storage_quota_exceeded',
      ...jsonBodyErrors,
      ...parameterErrors,
      ...webhookErrors,
      'price_unknown',
      'deadline_unreachable',
      'batch_not_found',
      'storage_unavailable',
      'not_replicated',
      'storage_full',
    ],
  },
  'GET /v1/messages/batches': {
    id: 'listMessageBatches',
    summary: 'List message batches, newest first',
    tag: 'Message batches',
    query: messageBatchListQuery,
    responses: { 200: { description: 'A page of batches.', schema: messageBatchList } },
    errors: [...parameterErrors, 'invalid_cursor'],
  },
  'GET /v1/messages/batches/:id': {
    id: 'readMessageBatch',
    summary: 'Read a message batch',
    tag: 'Message batches',
    params,
    responses: { 200: { description: 'The batch.', schema: messageBatch } },
    errors: ['batch_not_found'],
  },
  'GET /v1/messages/batches/:id/results': {
    id: 'readMessageBatchResults',
    summary: 'Read the results of a batch that has ended',
    tag: 'Message batches',
    params,
    headers: rangeHeaders,
    responses: lines,
    errors: [...contentErrors, 'batch_not_found', 'results_not_found'],
  },
  'GET /v1/messages/batches/:id/content': {
    id: 'readMessageBatchContent',
    summary: 'Read the results, also while the batch runs',
    tag: 'Message batches',
    params,
    headers: rangeHeaders,
    responses: lines,
    errors: [...contentErrors, 'batch_not_found', 'results_not_found'],
  },
  'POST /v1/messages/batches/:id/retry': {
    id: 'retryMessageBatch',
    summary: 'Make a message batch of the requests that have no answer',
    tag: 'Message batches',
    params,
    headers: idempotencyHeaders,
    body: messageBatchRetryRequest,
    bodyIsOptional: true,
    responses: { 200: { description: 'The new batch.', schema: messageBatch } },
    errors: [
      'too_many_open_batches',
      ...jsonBodyErrors,
      ...parameterErrors,
      ...webhookErrors,
      'price_unknown',
      'deadline_unreachable',
      'batch_not_found',
      'batch_not_retryable',
      'results_not_found',
      'storage_quota_exceeded',
      'storage_unavailable',
      'not_replicated',
      'storage_full',
    ],
  },
  'POST /v1/messages/batches/:id/cancel': {
    id: 'cancelMessageBatch',
    summary: 'Cancel a message batch',
    tag: 'Message batches',
    params,
    responses: { 200: { description: 'The batch, on its way to its end.', schema: messageBatch } },
    errors: ['batch_not_found', ...ignoredBodyErrors],
  },
  'DELETE /v1/messages/batches/:id': {
    id: 'deleteMessageBatch',
    summary: 'Delete a batch that has ended, with its results',
    tag: 'Message batches',
    params,
    responses: { 200: { description: 'That it is gone.', schema: deletedMessageBatch } },
    errors: ['batch_not_found', 'batch_not_ended', ...ignoredBodyErrors],
  },
}
