import { z } from 'zod'
import { duration } from '../../config/durations.ts'
import { configSchema } from '../../config/schema.ts'
import { type Endpoint, endpoints } from '../../domain/endpoint.ts'
import { BatonError } from '../../domain/errors.ts'
import { type JobErrorCode, type JobStatus, jobErrorCodes, jobStatuses } from '../../domain/job.ts'
import { faultOfStructure } from '../../domain/request-structure.ts'
import { canStream } from '../../domain/streaming/answer-fold.ts'
import { isBatchId } from '../../redis/keys.ts'

const shortestWindowMs = 60_000
const longestWindowMs = 7 * 86_400_000

/**
 * A request in the format of some endpoint. Only what Baton itself must know is looked at; the rest passes
 * through.
 */
export const completion = z
  .record(z.string(), z.unknown(), 'expected a JSON object')
  .refine(({ model }) => typeof model === 'string' && model !== '', {
    path: ['model'],
    error: 'expected the name of a model',
  })
  // For the API's description, which cannot see into a refinement.
  .meta({ properties: { model: { type: 'string', minLength: 1 } }, required: ['model'] })

export type Completion = z.output<typeof completion>

export const webhook = z.strictObject({
  url: z.string(),
  secret: configSchema.shape.webhooks.unwrap().shape.secret,
})

export type WebhookRequest = z.output<typeof webhook>

/** JSON can spell half of a surrogate pair, which UTF-8 cannot hold: two such texts would be kept as one. */
const isUnicode = (text: string): boolean => text.isWellFormed()
const notUnicode = 'expected Unicode: this has half of a surrogate pair'

export const metadata = z
  .record(
    z.string().max(64, 'expected keys of at most 64 characters').refine(isUnicode, notUnicode),
    z.string().max(512, 'expected at most 512 characters').refine(isUnicode, notUnicode),
  )
  .refine(pairs => Object.keys(pairs).length <= 16, 'expected at most 16 pairs')

export const completionWindow = duration.refine(
  ms => ms >= shortestWindowMs && ms <= longestWindowMs,
  'expected 1m to 7d',
)

export const jobRequest = z.strictObject({
  endpoint: z.enum(endpoints).default('/v1/chat/completions'),
  body: completion,
  webhook: webhook.optional(),
  metadata: metadata.optional(),
  completion_window: completionWindow.optional(),
  priority: z.enum(['default', 'low', 'high']).default('default'),
  on_stream_failure: z.enum(['error', 'restart']).optional(),
})

export type JobRequest = z.output<typeof jobRequest>

const limit = z.coerce.number().int().min(1).max(100).default(20)

export const jobReadQuery = z.object({
  view: z.enum(['operator']).optional().meta({
    description: 'The job of any tenant, without its response and with what explains it; for operators.',
  }),
})

const batchId = z
  .string()
  .refine(id => isBatchId(id), 'expected the id of a batch')
  .optional()
const name = z.string().min(1).max(200).optional()
const unixSeconds = z.coerce.number().int().min(0).max(99_999_999_999).optional()

/** One text and not a list: a fault of any of them is one of `status`. */
const statuses = z.string().transform((text, context): JobStatus[] => {
  const read = z.array(z.enum(jobStatuses)).safeParse(text.split(','))
  if (read.success) return read.data
  context.addIssue(read.error.issues[0]!.message)
  return z.NEVER
})

const jobFilterFields = z
  .object({
    status: statuses.optional().meta({ description: 'One, or several with commas between.' }),
    route: name,
    provider: name,
    error_code: z.enum(Object.keys(jobErrorCodes) as JobErrorCode[]).optional(),
    tenant: name.meta({ description: 'Another than that of the key, or `*` for all; for operators.' }),
    created_from: unixSeconds,
    created_to: unixSeconds,
  })
  .catchall(z.string().max(512))

const jobListFields = jobFilterFields.extend({
  limit,
  cursor: z.string().optional(),
  batch: batchId,
  batch_id: batchId,
  view: z.enum(['row']).optional(),
})

/** `metadata.KEY` beside the fields. Looked at before they are read, because the reader drops a `__proto__` unseen. */
const withMetadata = <Fields extends z.ZodObject>(fields: Fields) =>
  z.preprocess((query: Record<string, unknown>, context) => {
    for (const key of Object.keys(query))
      if (!Object.hasOwn(fields.shape, key) && !key.startsWith('metadata.'))
        context.addIssue({ code: 'unrecognized_keys', keys: [key], input: query })
    return query
  }, fields)

export const jobListQuery = withMetadata(jobListFields)
export const jobCountQuery = withMetadata(jobFilterFields)

export type JobFilterQuery = z.output<typeof jobCountQuery>

const seconds = z.coerce.number().min(0).max(1e10)

export const deadLetterQuery = z.strictObject({
  limit,
  after: z.string().max(100).optional().meta({
    description: 'The `next_cursor` of an earlier page, or the id of a dead letter.',
  }),
  tenant: z.string().max(500).optional().meta({
    description: 'Another than that of the key, or `*` for all; for operators.',
  }),
  receiver: z
    .string()
    .max(2_048)
    .optional()
    .meta({ description: 'The origin of the webhook’s URL, as `https://hooks.example`.' }),
  reason: z.string().max(100).optional(),
  since: seconds.optional().meta({ description: 'Given up from then on, in Unix seconds.' }),
  until: seconds.optional().meta({ description: 'Given up before then, in Unix seconds.' }),
})

const refuseStreaming = (endpoint: Endpoint, body: Completion, param: string): void => {
  if (body.stream !== true || canStream(endpoint)) return
  throw new BatonError(
    'streaming_unsupported',
    'There is nothing to stream here; leave `stream` out or set it to false.',
    { param },
  )
}

/** `within`: where the body stands in the request, with a dot behind it. */
export const refuseCompletionFaults = (endpoint: Endpoint, body: Completion, within = ''): void => {
  refuseStreaming(endpoint, body, `${within}stream`)
  const fault = faultOfStructure(endpoint, body)
  if (fault !== null) throw new BatonError(fault.code, fault.message, { param: `${within}${fault.param}` })
}
