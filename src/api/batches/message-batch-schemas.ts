import { z } from 'zod'
import { completionWindow, webhook } from '../jobs/request-schemas.ts'
import { maxCost, onlyBlocked } from './request-schemas.ts'

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

/** Not strict: Anthropic's clients add parameters, such as `beta=true`, that say nothing here. */
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
