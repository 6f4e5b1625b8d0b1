import { z } from 'zod'
import type { Endpoint } from '../../domain/endpoint.ts'
import { expiresAfter } from '../files/file-rules.ts'
import { completionWindow, metadata, webhook } from '../jobs/request-schemas.ts'

/** What OpenAI's batches may ask for, as far as it is served here. */
export const batchEndpoints = [
  '/v1/chat/completions',
  '/v1/embeddings',
  '/v1/responses',
  '/v1/completions',
] as const satisfies readonly Endpoint[]

/** Kept as the client wrote it, and so shown again. OpenAI itself takes `24h` only. */
const window = z
  .string('expected a time from 1m to 7d, such as 24h')
  .max(10, 'expected a time from 1m to 7d, such as 24h')
  .refine(text => completionWindow.safeParse(text).success, 'expected a time from 1m to 7d, such as 24h')

export const windowMsOf = (window: string): number => completionWindow.parse(window)

const dollars = 'expected US dollars, more than 0'

/** A limit for all lines together. */
export const maxCost = z.number(dollars).positive(dollars).max(1e9, dollars).nullish()

export const batchRequest = z.strictObject({
  input_file_id: z.string('expected the id of a file with purpose batch'),
  endpoint: z.enum(batchEndpoints, `expected one of ${batchEndpoints.join(', ')}`),
  completion_window: window,
  metadata: metadata.nullish(),
  output_expires_after: expiresAfter.nullish(),
  webhook: webhook.nullish(),
  max_cost_usd: maxCost,
})

/** A batch whose file is not sent yet, and the models that its lines name. */
export const batchCheckRequest = batchRequest
  .omit({ input_file_id: true, output_expires_after: true })
  .extend({ models: z.array(z.string('expected names of models')).max(1_000).default([]) })

/** What a retried batch is to have otherwise than the first one. */
export const batchRetryRequest = z.strictObject({
  completion_window: window.optional(),
  metadata: metadata.nullish(),
  webhook: webhook.nullish(),
  max_cost_usd: maxCost,
})

/** The same of a message batch, which has no metadata. */
export const messageBatchRetryRequest = batchRetryRequest.omit({ metadata: true })

/** Only those that a person must help, or all. */
export const onlyBlocked = z.enum(['true', 'false'], 'expected true or false').default('false')

export const batchListQuery = z.strictObject({
  blocked: onlyBlocked,
  after: z.string('expected the id of a batch').optional(),
  limit: z.coerce.number('expected 1 to 100').int('expected 1 to 100').min(1).max(100).default(20),
})

export const batchContentQuery = z.strictObject({
  file: z.enum(['output', 'errors'], 'expected output or errors').default('output'),
})

/** As long as Anthropic's batches have. */
const usualWindow = '24h'

/** What may stand beside `requests`: this server's own. */
export const messageBatchExtras = z.object({
  webhook: webhook.nullish(),
  max_cost_usd: maxCost,
  completion_window: z
    .string('expected a time from 1m to 7d, such as 24h')
    .max(10, 'expected a time from 1m to 7d, such as 24h')
    .refine(text => completionWindow.safeParse(text).success, 'expected a time from 1m to 7d, such as 24h')
    .default(usualWindow),
})

/** Not strict: Anthropic's clients add parameters, such as `beta=true`, that have no meaning here. */
export const messageBatchListQuery = z
  .object({
    blocked: onlyBlocked,
    after_id: z.string('expected the id of a batch').optional(),
    before_id: z.string('expected the id of a batch').optional(),
    limit: z.coerce.number('expected 1 to 1000').int('expected 1 to 1000').min(1).max(1_000).default(20),
  })
  .refine(({ after_id, before_id }) => after_id === undefined || before_id === undefined, {
    path: ['before_id'],
    error: 'cannot go together with after_id',
  })
