import { z } from 'zod'
import { verdictKinds } from '../../domain/classify/verdict.ts'
import { endpoints } from '../../domain/endpoint.ts'
import { type JobErrorCode, jobErrorCodes, jobStatuses } from '../../domain/job.ts'
import { adjustmentActions } from '../../domain/routing/adjustments.ts'
import type { JobView } from '../../jobs/view.ts'
import { completionErrors, ignoredBodyErrors, jsonBodyErrors, webhookErrors } from '../openapi/error-sets.ts'
import type { DescribedResponse, Operations } from '../openapi/operation.ts'
import { followingHeaders, forwardedHeaders, idempotencyHeaders, idOf } from '../openapi/request-headers.ts'
import type { JobContentView, JobCount } from '../operator/job-view.ts'

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
  first_token_ms: z.number().optional(),
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
  estimated_completion_at: seconds.nullable(),
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

const jobList = z.object({
  object: z.literal('list'),
  data: z.array(jobSummary),
  has_more: z.boolean(),
  next_cursor: z.string().nullable(),
  complete: z.literal(false).optional().meta({
    description:
      'The page ended because its time was up, and may hold fewer jobs than asked for: `next_cursor` goes on.',
  }),
  collected: z.int().optional().meta({
    description: 'Of the lines of one batch: how many stand in its files already, and are no jobs any more.',
  }),
  scanned: z.int().optional().meta({ description: 'How many jobs were looked at for such a page.' }),
})

const jobCount = z.object({
  count: z.int(),
  exact: z.boolean().meta({
    description:
      'False where its time was up, or a name may have been taken for another: `count` may be wrong.',
  }),
}) satisfies z.ZodType<JobCount>

const contentText = {
  text: z.string().meta({ description: 'Its first 65,536 characters.' }),
  bytes: z.int().meta({ description: 'Of the whole.' }),
}

const jobContent = z.object({
  id: z.string(),
  request: z.object(contentText).nullable().meta({ description: 'Null where it is not kept any more.' }),
  response: z.object({ status_code: z.int(), ...contentText }).nullable(),
}) satisfies z.ZodType<JobContentView>

/** The response to `Accept: text/event-stream`. */
const events: DescribedResponse = {
  type: 'text/event-stream',
  description:
    'As `text/event-stream`: an event at once, and one for each change of its status, each call that is added to `attempts` and each move to another queue, up to its end. `event` is `job.` and the status, `data` the job.',
  schema: z.string(),
}

export const accepted = { 202: { description: 'The job, accepted. `Location` is its path.', schema: job } }

export const jobOperations: Operations = {
  'POST /v1/jobs': {
    id: 'submitJob',
    summary: 'Submit a job',
    tag: 'Jobs',
    headers: idempotencyHeaders.extend(forwardedHeaders.shape),
    responses: accepted,
    errors: [...jsonBodyErrors, ...completionErrors, ...webhookErrors, 'invalid_window'],
  },
  'GET /v1/jobs/:id': {
    id: 'readJob',
    summary: 'Read a job, wait for its end, or follow it',
    tag: 'Jobs',
    params: idOf('a job'),
    headers: followingHeaders,
    responses: {
      200: {
        // Named by no schema here: every generated client would have to ask which of two jobs it got.
        description: 'The job; with `view=operator` without `response`, and with what explains it.',
        schema: job,
        otherType: events,
      },
      204: {
        description: '`Last-Event-ID` names the last event of the job: no more will come.',
        schema: z.null(),
      },
    },
    errors: ['invalid_request', 'job_not_found', 'permission_denied', 'too_many_waiting'],
  },
  'GET /v1/jobs/:id/stream': {
    id: 'streamJob',
    summary: 'Read the stream of a job, or go on with it',
    tag: 'Jobs',
    params: idOf('a job'),
    headers: followingHeaders,
    responses: {
      200: { description: 'The stream.', schema: z.string(), type: 'text/event-stream' },
      204: { description: '`Last-Event-ID` names the last event of the stream.', schema: z.null() },
    },
    errors: ['job_not_found', 'stream_not_found', 'invalid_request', 'too_many_waiting'],
    answersForJob: true,
  },
  'GET /v1/jobs': {
    id: 'listJobs',
    summary: 'List jobs, newest first',
    tag: 'Jobs',
    responses: { 200: { description: 'A page of jobs, without their responses.', schema: jobList } },
    errors: ['invalid_request', 'invalid_cursor', 'permission_denied'],
  },
  'GET /v1/jobs/count': {
    id: 'countJobs',
    summary: 'Count jobs',
    tag: 'Jobs',
    responses: {
      200: { description: 'How many jobs the list has of them, without lines of batches.', schema: jobCount },
    },
    errors: ['invalid_request', 'permission_denied'],
  },
  'GET /v1/jobs/:id/content': {
    id: 'readJobContent',
    summary: 'Read what a job asks and was answered, as an operator',
    tag: 'Operation',
    params: idOf('a job'),
    responses: { 200: { description: 'Its request and its answer, as texts.', schema: jobContent } },
    errors: ['job_not_found', 'content_hidden', 'too_many_waiting'],
  },
  'POST /v1/jobs/:id/cancel': {
    id: 'cancelJob',
    summary: 'Cancel a job, also while it runs',
    tag: 'Jobs',
    params: idOf('a job'),
    responses: { 200: { description: 'The job, cancelled.', schema: job } },
    errors: ['job_not_found', 'job_finished', ...ignoredBodyErrors],
  },
  'POST /v1/jobs/:id/retry': {
    id: 'retryJob',
    summary: 'Submit the request of a failed, expired or cancelled job again, as a new job',
    tag: 'Jobs',
    params: idOf('a job'),
    headers: idempotencyHeaders,
    responses: accepted,
    errors: [...completionErrors, 'job_not_retryable', ...ignoredBodyErrors],
  },
}
