import { z } from 'zod'
import { endpoints } from '../../domain/endpoint.ts'
import { ofCompletion, ofIgnoredBody, ofJsonBody, ofWebhook } from '../openapi/error-sets.ts'
import type { Answer, Operation, Operations } from '../openapi/operation.ts'
import { doorHeaders, followed, idempotent, idOf, travelling } from '../openapi/request-headers.ts'
import { job, jobList } from './response-schemas.ts'

/** Of `Accept: text/event-stream`. */
const events: Answer = {
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
    headers: idempotent.extend(travelling.shape),
    answers: accepted,
    errors: [...ofJsonBody, ...ofCompletion, ...ofWebhook, 'invalid_window'],
  },
  'GET /v1/jobs/:id': {
    id: 'readJob',
    summary: 'Read a job, wait for its end, or follow it',
    tag: 'Jobs',
    params: idOf('a job'),
    headers: followed,
    answers: {
      200: { description: 'The job.', schema: job, otherType: events },
      204: { description: '`Last-Event-ID` is that of the last event there will be.', schema: z.null() },
    },
    errors: ['job_not_found', 'too_many_waiting'],
  },
  'GET /v1/jobs': {
    id: 'listJobs',
    summary: 'List jobs, newest first',
    tag: 'Jobs',
    answers: { 200: { description: 'A page of jobs, without their responses.', schema: jobList } },
    errors: ['invalid_request', 'invalid_cursor'],
  },
  'POST /v1/jobs/:id/cancel': {
    id: 'cancelJob',
    summary: 'Cancel a job, also while it runs',
    tag: 'Jobs',
    params: idOf('a job'),
    answers: { 200: { description: 'The job, cancelled.', schema: job } },
    errors: ['job_not_found', 'job_finished', ...ofIgnoredBody],
  },
  'POST /v1/jobs/:id/retry': {
    id: 'retryJob',
    summary: 'Submit the request of a failed, expired or cancelled job again, as a new job',
    tag: 'Jobs',
    params: idOf('a job'),
    headers: idempotent,
    answers: accepted,
    errors: [...ofCompletion, 'job_not_retryable', ...ofIgnoredBody],
  },
}

const doorNames: Readonly<Record<(typeof endpoints)[number], readonly [id: string, summary: string]>> = {
  '/v1/chat/completions': ['createChatCompletion', "OpenAI's chat completions"],
  '/v1/messages': ['createMessage', "Anthropic's messages"],
  '/v1/completions': ['createCompletion', "OpenAI's completions"],
  '/v1/embeddings': ['createEmbeddings', "OpenAI's embeddings"],
  '/v1/responses': ['createResponse', "OpenAI's responses"],
}

const upstreamAnswer: Answer = {
  description:
    "The provider's own answer; `x-baton-provider` names who gave it, `x-upstream-request-id` tells what that one calls the request, and `x-baton-adjusted` what it was asked without.",
  schema: z.record(z.string(), z.unknown()),
}

const door = ([id, summary]: readonly [string, string]): Operation => ({
  id,
  summary,
  tag: 'Completions',
  headers: doorHeaders.extend(travelling.shape),
  answers: { 200: upstreamAnswer, ...accepted, default: upstreamAnswer },
  errors: [...ofJsonBody, ...ofCompletion, 'too_many_waiting'],
  answersForJob: true,
})

export const doorOperations: Operations = {
  ...Object.fromEntries(endpoints.map(endpoint => [`POST ${endpoint}`, door(doorNames[endpoint])])),
  'POST /v1/complete': {
    id: 'createTextCompletion',
    summary: "Anthropic's text completions, which are retired; see `POST /v1/messages`",
    tag: 'Completions',
    answers: {},
    errors: ['endpoint_retired'],
    isRetired: true,
  },
}
