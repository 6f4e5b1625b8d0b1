import { z } from 'zod'
import { ignoredBodyErrors } from '../openapi/error-sets.ts'
import type { DescribedResponse, Operations } from '../openapi/operation.ts'
import { idOf } from '../openapi/request-headers.ts'

/** As OpenAI's API has it: the provider's own once it is there. */
const response = z
  .object({
    id: z.string(),
    object: z.literal('response'),
    created_at: z.number(),
    background: z.literal(true),
    status: z.enum(['queued', 'in_progress', 'completed', 'incomplete', 'failed', 'cancelled']),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
    model: z.string(),
    output: z.array(z.unknown()),
  })
  .meta({ id: 'Response' })

const inputItems = z.object({
  object: z.literal('list'),
  data: z.array(z.record(z.string(), z.unknown())),
  first_id: z.string().nullable(),
  last_id: z.string().nullable(),
  has_more: z.boolean(),
})

const deleted = z.object({ id: z.string(), object: z.literal('response'), deleted: z.literal(true) })

const params = idOf('a response in the background')
const read: DescribedResponse = { description: 'The response.', schema: response }

const events: DescribedResponse = {
  type: 'text/event-stream',
  description: 'With `stream=true`: its events, those after `starting_after` where that is given.',
  schema: z.string(),
}

export const responseOperations: Operations = {
  'GET /v1/responses/:id': {
    id: 'readResponse',
    summary: 'Read a response in the background, or what of its stream comes after an event',
    tag: 'Responses',
    responses: { 200: { ...read, otherType: events } },
    errors: ['response_not_found', 'invalid_request', 'too_many_bytes', 'too_many_waiting'],
  },
  'POST /v1/responses/:id/cancel': {
    id: 'cancelResponse',
    summary: 'Cancel a response in the background; one that has ended stays as it is',
    tag: 'Responses',
    params,
    responses: { 200: read },
    errors: ['response_not_found', ...ignoredBodyErrors],
  },
  'DELETE /v1/responses/:id': {
    id: 'deleteResponse',
    summary: 'Delete a response in the background, with its request',
    tag: 'Responses',
    params,
    responses: { 200: { description: 'It is gone.', schema: deleted } },
    errors: ['response_not_found', ...ignoredBodyErrors],
  },
  'GET /v1/responses/:id/input_items': {
    id: 'listInputItems',
    summary: 'List the input of a response in the background',
    tag: 'Responses',
    responses: { 200: { description: 'A page of its items, newest first.', schema: inputItems } },
    errors: ['response_not_found', 'invalid_request', 'invalid_cursor'],
  },
}
