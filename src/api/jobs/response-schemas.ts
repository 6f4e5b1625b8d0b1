import { z } from 'zod'
import { adjustmentActions } from '../../domain/carriage.ts'
import { endpoints } from '../../domain/endpoint.ts'
import { type JobErrorCode, jobErrorCodes, jobStatuses } from '../../domain/job.ts'
import { verdictKinds } from '../../domain/verdict.ts'
import type { JobView } from '../../jobs/view.ts'

/** Unix seconds. */
export const seconds = z.int()

export const webhookView = z.object({
  url: z.string(),
  status: z.enum(['pending', 'delivered', 'dead']),
  attempts: z.int(),
})

const toldError = z.object({ code: z.string(), message: z.string() })

/** The target that failed a job last, in its own words. */
export const lastError = z.object({
  provider: z.string(),
  model: z.string(),
  status_code: z.int().nullable(),
  ...toldError.shape,
})

const adjustment = { field: z.string(), action: z.enum(adjustmentActions) }

const attempt = z.object({
  hop: z.int(),
  provider: z.string(),
  model: z.string(),
  started_at: z.number(),
  duration_ms: z.number().nullable(),
  status_code: z.int().nullable(),
  verdict: z.enum(verdictKinds).nullable(),
  reason: z.string(),
  retry_after_ms: z.number().optional(),
  possibly_billed: z.boolean(),
  mirror: z.literal(true).optional(),
  cost_usd: z.number().optional(),
  error: toldError.optional(),
  adjusted: z.array(z.object(adjustment)).optional(),
  upstream_request_id: z.string().optional(),
})

const move = z.object({
  kind: z.enum(['skipped', 'parked']),
  at: z.number(),
  hop: z.int(),
  provider: z.string(),
  model: z.string(),
  reason: z.string(),
  fields: z.array(z.string()).optional(),
  until: z.number().optional(),
})

const jobFields = {
  id: z.string(),
  object: z.literal('job'),
  status: z.enum(jobStatuses),
  endpoint: z.enum(endpoints),
  model: z.string(),
  provider: z.string(),
  upstream_model: z.string(),
  batch_id: z.string().nullable(),
  priority: z.enum(['default', 'low', 'high']),
  retry_of: z.string().nullable(),
  created_at: seconds,
  started_at: seconds.nullable(),
  finished_at: seconds.nullable(),
  expires_at: seconds,
  resumes_at: seconds.nullable(),
  attempts: z.array(attempt),
  moves: z.array(move).optional(),
  error: z
    .object({
      code: z.enum(Object.keys(jobErrorCodes) as JobErrorCode[]),
      message: z.string(),
      last_error: lastError.optional(),
    })
    .nullable(),
  last_error: lastError.optional(),
  refused: z.literal(true).optional(),
  adjusted: z.array(z.object({ ...adjustment, target: z.string() })).optional(),
  cache: z.literal('hit').optional(),
  usage: z
    .object({
      input_tokens: z.int(),
      output_tokens: z.int(),
      cache_read_tokens: z.int().optional(),
      cache_write_tokens: z.int().optional(),
    })
    .nullable(),
  cost_usd: z.number().nullable(),
  webhook: webhookView.nullable(),
  metadata: z.record(z.string(), z.string()),
}

export const jobSummary = z.object(jobFields).meta({ id: 'JobSummary' }) satisfies z.ZodType<JobView>

export const job = z
  .object({ ...jobFields, response: z.object({ status_code: z.int(), body: z.unknown() }).nullable() })
  .meta({ id: 'Job' }) satisfies z.ZodType<JobView>

export const jobList = z.object({
  object: z.literal('list'),
  data: z.array(jobSummary),
  has_more: z.boolean(),
  next_cursor: z.string().nullable(),
})
