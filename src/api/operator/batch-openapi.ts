import { z } from 'zod'
import { batchStatuses } from '../../batches/record.ts'
import { seconds, webhookView } from '../jobs/openapi.ts'
import type { Operations } from '../openapi/operation.ts'
import { idOf } from '../openapi/request-headers.ts'
import type { BatchFailuresView, BatchRow, OperatorBatchView } from './batch-view.ts'

const row = z
  .object({
    id: z.string(),
    dialect: z.enum(['openai', 'anthropic']),
    tenant: z.string(),
    status: z.enum(batchStatuses),
    blocked: z.object({ reason: z.string(), since: seconds, subject: z.string().nullable() }).nullable(),
    total: z.int().nullable(),
    succeeded: z.int(),
    errored: z.int(),
    canceled: z.int(),
    expired: z.int(),
    waiting: z.int().nullable(),
    running: z.int().nullable(),
    parked: z.int().nullable(),
    created_at: seconds,
    ended_at: seconds.nullable(),
    expires_at: seconds,
    estimated_completion_at: seconds.nullable(),
    cost_usd: z.number().nullable(),
    max_cost_usd: z.number().nullable(),
  })
  .meta({ id: 'BatchRow' }) satisfies z.ZodType<BatchRow>

const operatorBatch = z
  .object({
    ...row.shape,
    model: z.string().nullable(),
    endpoint: z.string(),
    retry_of: z.string().nullable(),
    metadata: z.record(z.string(), z.string()),
    providers: z.record(z.string(), z.int()),
    webhook: webhookView.nullable(),
    faults: z.array(z.object({ line: z.int().nullable(), code: z.string(), message: z.string() })),
  })
  .meta({ id: 'OperatorBatch' }) satisfies z.ZodType<OperatorBatchView>

const rowList = z.object({
  object: z.literal('list'),
  data: z.array(row),
  has_more: z.boolean(),
  next_cursor: z.string().nullable(),
})

const failedLine = z
  .object({
    custom_id: z.string(),
    line: z.int().nullable(),
    status_code: z.int().nullable(),
    code: z.string(),
    provider: z.string().nullable(),
  })
  .meta({ id: 'FailedLine' })

const failures = z.object({
  codes: z.array(z.object({ code: z.string(), count: z.int(), example: failedLine })),
  data: z.array(failedLine),
  next_cursor: z.string().nullable(),
  complete: z.boolean(),
}) satisfies z.ZodType<BatchFailuresView>

export const operatorBatchOperations: Operations = {
  'GET /v1/admin/batches': {
    id: 'listAllBatches',
    summary: 'List the batches of all tenants and of both kinds of clients, newest first',
    tag: 'Operation',
    responses: {
      200: {
        description:
          'A page of batches. Of one with many open lines, `waiting`, `running` and `parked` are estimated by a sample.',
        schema: rowList,
      },
    },
    errors: ['invalid_request', 'invalid_cursor'],
  },
  'GET /v1/admin/batches/:id': {
    id: 'readAnyBatch',
    summary: 'Read a batch of any tenant and of either kind of client',
    tag: 'Operation',
    params: idOf('a batch'),
    responses: { 200: { description: 'The batch.', schema: operatorBatch } },
    errors: ['batch_not_found'],
  },
  'GET /v1/admin/batches/:id/failures': {
    id: 'listFailures',
    summary: 'List the lines of a batch that have no answer, and count them by code',
    tag: 'Operation',
    params: idOf('a batch'),
    responses: { 200: { description: 'As far as the file is written.', schema: failures } },
    errors: ['invalid_request', 'batch_not_found', 'storage_unavailable'],
  },
}
