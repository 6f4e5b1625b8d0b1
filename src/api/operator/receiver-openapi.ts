import { z } from 'zod'
import { seconds } from '../jobs/openapi.ts'
import type { Operations } from '../openapi/operation.ts'
import { replayRequest } from './receiver-routes.ts'
import type { ReceiversView, ReplayView } from './receiver-view.ts'

const receivers = z.object({
  object: z.literal('list'),
  data: z.array(
    z
      .object({
        receiver: z.string(),
        waiting: z.int(),
        oldest_at: seconds.nullable(),
        failing_since: seconds.nullable(),
        next_at: seconds.nullable(),
        last_reason: z.string().nullable(),
        last_status: z.int().nullable(),
        delivered: z.int().meta({ description: 'Attempts that succeeded within the last hour.' }),
        failed: z.int().meta({ description: 'Attempts that failed within the last hour.' }),
        dead: z.int(),
        last_died_at: seconds.nullable(),
      })
      .meta({ id: 'Receiver' }),
  ),
  complete: z.boolean(),
  read_at: z.number().meta({ description: 'Unix seconds, with fractions.' }),
}) satisfies z.ZodType<ReceiversView>

const replayed = z.object({
  receiver: z.string(),
  redelivered: z.int(),
  next_cursor: z.string().nullable(),
}) satisfies z.ZodType<ReplayView>

export const receiverOperations: Operations = {
  'GET /v1/admin/webhooks': {
    id: 'listReceivers',
    summary: 'List receivers of webhooks for which something waits, or was given up',
    tag: 'Operation',
    responses: { 200: { description: 'Of all tenants, by the origins of their URLs.', schema: receivers } },
    errors: [],
  },
  'POST /v1/dead-letters/redeliver': {
    id: 'redeliverAll',
    summary: 'Send the dead letters of a receiver again, up to 500 at a time',
    tag: 'Operation',
    body: replayRequest,
    responses: {
      202: {
        description: 'One step. The next is asked with its `next_cursor`, until that is null.',
        schema: replayed,
      },
    },
    errors: ['invalid_request', 'invalid_cursor', 'count_changed'],
  },
}
