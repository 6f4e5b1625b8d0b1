import { z } from 'zod'
import { blockReasons } from '../../domain/obstacle.ts'
import type { WebhookEvent } from '../../webhooks/event.ts'
import type { SignedHeaders } from '../../webhooks/sign.ts'
import { messageBatch } from '../batches/message-batch-openapi.ts'
import { batch } from '../batches/openapi.ts'
import { job, seconds } from '../jobs/openapi.ts'
import type { tags } from './operation.ts'

type EventType = WebhookEvent['type']

const id = z.string()
const object = z.literal('batch')
const tooLong = 'Where the event would pass 20 kB: `GET` has the rest.'

const jobData = z
  .union([job, z.object({ id, object: z.literal('job'), status: z.string() }).meta({ description: tooLong })])
  .meta({ id: 'JobEventData' })

const endedBatch = z
  .union([
    batch,
    messageBatch.extend({ object, status: z.string() }),
    z.object({ id, object, status: z.string() }).meta({ description: tooLong }),
  ])
  .meta({ id: 'BatchEndData' })

/** In the words of the kind of client that made the batch. */
const time = z.union([seconds, z.string()])
const blocked = z.object({
  reason: z.enum(blockReasons),
  message: z.string(),
  provider: z.string(),
  model: z.string(),
  since: time,
})
const warning = z.object({
  code: z.literal('deadline_at_risk'),
  message: z.string(),
  since: time,
  estimated_completion_at: time,
})

const notedMessageBatch = messageBatch.extend({ object }).meta({ id: 'NotedMessageBatch' })

const notedBatch = (why: z.ZodRawShape) =>
  z.union([batch, notedMessageBatch, z.object({ id, object, ...why }).meta({ description: tooLong })])

/** An event as it is sent, by its name in the description. */
const eventOf = <Type extends EventType>(type: Type, name: string, data: z.ZodType) =>
  z
    .object({
      type: z.literal(type),
      id: z.string().meta({ description: 'The same at each delivery of this event; also the `webhook-id`.' }),
      object: z.literal('event'),
      created_at: seconds.meta({ description: 'Unix seconds.' }),
      timestamp: z.string().meta({ description: 'The same as RFC 3339.' }),
      data,
    })
    .meta({ id: name })

interface DescribedEvent {
  readonly name: string
  readonly summary: string
  readonly schema: z.ZodType
}

const described = (type: EventType, name: string, summary: string, data: z.ZodType): DescribedEvent => ({
  name,
  summary,
  schema: eventOf(type, name, data),
})

/** Every event that is built: the compiler compares the two. */
export const webhookEvents: Readonly<Record<EventType, DescribedEvent>> = {
  'job.succeeded': described('job.succeeded', 'JobSucceededEvent', 'A job was answered', jobData),
  'job.failed': described('job.failed', 'JobFailedEvent', 'A job failed', jobData),
  'job.cancelled': described('job.cancelled', 'JobCancelledEvent', 'A job was cancelled', jobData),
  'job.expired': described('job.expired', 'JobExpiredEvent', 'The time of a job ran out', jobData),
  'batch.completed': described('batch.completed', 'BatchCompletedEvent', 'A batch is done', endedBatch),
  'batch.failed': described('batch.failed', 'BatchFailedEvent', 'The input of a batch is faulty', endedBatch),
  'batch.expired': described(
    'batch.expired',
    'BatchExpiredEvent',
    'The window of a batch ran out',
    endedBatch,
  ),
  'batch.cancelled': described('batch.cancelled', 'BatchCancelledEvent', 'A batch was cancelled', endedBatch),
  'batch.blocked': described(
    'batch.blocked',
    'BatchBlockedEvent',
    'A batch cannot go on before a person acts',
    notedBatch({ blocked }),
  ),
  'batch.at_risk': described(
    'batch.at_risk',
    'BatchAtRiskEvent',
    'A batch will not be done in its window',
    notedBatch({ warning }),
  ),
}

const headers: Readonly<Record<keyof SignedHeaders, string>> = {
  'webhook-id': 'The same at each delivery of an event: what was handled already has its id.',
  'webhook-timestamp': 'Unix seconds of this delivery. One that is old may be sent by somebody else.',
  'webhook-signature':
    'One or several, with a space between, each `v1,` and the base64 of the HMAC-SHA256 of `id.timestamp.body`, by the secret after `whsec_`, decoded.',
}

const tag: keyof typeof tags = 'Webhooks'

/** `webhooks` of the document. Receivers are no part of this API, so no key of it is shown to them. */
export const describeWebhooks = () =>
  Object.fromEntries(
    Object.entries(webhookEvents).map(([type, { name, summary }]) => [
      type,
      {
        post: {
          operationId: `on${name.replace(/Event$/, '')}`,
          summary,
          tags: [tag],
          security: [],
          parameters: Object.entries(headers).map(([header, description]) => ({
            ...{ name: header, in: 'header', required: true, description },
            schema: { type: 'string' },
          })),
          requestBody: {
            required: true,
            content: { 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } },
          },
          responses: {
            '2XX': { description: 'It is delivered.' },
            '410': { description: 'Nobody is there any more: it becomes a dead letter at once.' },
            default: {
              description:
                'It is delivered again later, or after `Retry-After`, and is a dead letter at last.',
            },
          },
        },
      },
    ]),
  )
