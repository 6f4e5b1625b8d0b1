import { z } from 'zod'
import { endpoints } from '../../domain/endpoint.ts'
import { completionErrors, ignoredBodyErrors, jsonBodyErrors, webhookErrors } from '../openapi/error-sets.ts'
import type { DescribedResponse, Operation, Operations } from '../openapi/operation.ts'
import {
  followingHeaders,
  forwardedHeaders,
  idempotencyHeaders,
  idOf,
  syncHeaders,
} from '../openapi/request-headers.ts'
import { job, jobList } from './response-schemas.ts'

/** Of `Accept: text/event-stream`. */
const events: DescribedResponse = {
  type: 'text/event-stream',
  description:
    'As `text/event-stream`: an event at once, and one for each change of its status, each call that is added to `attempts` and each move to another queue, up to its end. `event` is `job.` and the status, `data` the job.',
  schema: z.string(),
}

const accepted = { 202: { description: 'The job, accepted. `Location` is its path.', schema: job } }

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
      200: { description: 'The job.', schema: job, otherType: events },
      204: { description: '`Last-Event-ID` is that of the last event there will be.', schema: z.null() },
    },
    errors: ['job_not_found', 'too_many_waiting'],
  },
  'GET /v1/jobs': {
    id: 'listJobs',
    summary: 'List jobs, newest first',
    tag: 'Jobs',
    responses: { 200: { description: 'A page of jobs, without their responses.', schema: jobList } },
    errors: ['invalid_request', 'invalid_cursor'],
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

const syncNames: Readonly<Record<(typeof endpoints)[number], readonly [id: string, summary: string]>> = {
  '/v1/chat/completions': ['createChatCompletion', "OpenAI's chat completions"],
  '/v1/messages': ['createMessage', "Anthropic's messages"],
  '/v1/completions': ['createCompletion', "OpenAI's completions"],
  '/v1/embeddings': ['createEmbeddings', "OpenAI's embeddings"],
  '/v1/responses': ['createResponse', "OpenAI's responses"],
}

const upstreamAnswer: DescribedResponse = {
  description:
    "The provider's own answer; `x-baton-provider` names who gave it, `x-upstream-request-id` tells what that one calls the request, and `x-baton-adjusted` what it was asked without.",
  schema: z.record(z.string(), z.unknown()),
}

const syncOperation = ([id, summary]: readonly [string, string]): Operation => ({
  id,
  summary,
  tag: 'Completions',
  headers: syncHeaders.extend(forwardedHeaders.shape),
  responses: { 200: upstreamAnswer, ...accepted, default: upstreamAnswer },
  errors: [...jsonBodyErrors, ...completionErrors, 'too_many_waiting'],
  answersForJob: true,
})

export const syncOperations: Operations = {
  ...Object.fromEntries(endpoints.map(endpoint => [`POST ${endpoint}`, syncOperation(syncNames[endpoint])])),
  'POST /v1/complete': {
    id: 'createTextCompletion',
    summary: "Anthropic's text completions, which are retired; see `POST /v1/messages`",
    tag: 'Completions',
    responses: {},
    errors: ['endpoint_retired'],
    isRetired: true,
  },
}
