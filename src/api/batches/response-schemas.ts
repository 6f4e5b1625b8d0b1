import { z } from 'zod'
import { batchStatuses } from '../../batches/record.ts'
import type { BatchView, MessageBatchView } from '../../batches/view.ts'
import { endpoints } from '../../domain/endpoint.ts'
import { blockReasons } from '../../domain/obstacle.ts'
import { seconds, webhookView } from '../jobs/openapi.ts'

const fault = z.object({
  code: z.string(),
  message: z.string(),
  param: z.string().nullable(),
  line: z.int().nullable(),
})

/** Why a batch cannot go on before a person acts. */
const blockedSince = <Time extends z.ZodType>(since: Time) =>
  z
    .object({
      reason: z.enum(blockReasons),
      message: z.string(),
      provider: z.string(),
      model: z.string(),
      since,
    })
    .nullable()

/** What this server tells beyond OpenAI and Anthropic. */
const ours = {
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
  })
  .meta({ id: 'Batch' }) satisfies z.ZodType<BatchView>

export const batchList = z.object({
  object: z.literal('list'),
  data: z.array(batch),
  first_id: z.string().nullable(),
  last_id: z.string().nullable(),
  has_more: z.boolean(),
})

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
  })
  .meta({ id: 'MessageBatch' }) satisfies z.ZodType<MessageBatchView>

export const messageBatchList = z.object({
  data: z.array(messageBatch),
  has_more: z.boolean(),
  first_id: z.string().nullable(),
  last_id: z.string().nullable(),
})

export const deletedMessageBatch = z.object({ id: z.string(), type: z.literal('message_batch_deleted') })
