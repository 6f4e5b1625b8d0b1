import { z } from 'zod'
import { seconds } from '../jobs/openapi.ts'
import type { Operations } from '../openapi/operation.ts'
import type { UsageView } from './usage-view.ts'

const figures = z.object({
  requests: z.int(),
  failed: z.int(),
  input_tokens: z.int(),
  cached_tokens: z.int(),
  output_tokens: z.int(),
  cost_usd: z.number().nullable(),
  unpriced: z.int(),
})

const usage = z
  .object({
    from: seconds,
    to: seconds,
    time_zone: z.string(),
    cut_at: z.enum(['zone', 'utc_hour']),
    total: figures,
    data: z.array(figures.extend({ day: z.string(), group: z.string() })),
  })
  .meta({ id: 'Usage' }) satisfies z.ZodType<UsageView>

export const usageOperations: Operations = {
  'GET /v1/usage': {
    id: 'readUsage',
    summary: 'Read what the jobs of all tenants used and cost, by day and group',
    tag: 'Operation',
    responses: {
      200: {
        description:
          'Of the jobs that ended in whole hours of UTC. `unpriced`: answered requests whose cost is not known.',
        schema: usage,
      },
    },
    errors: ['invalid_request'],
  },
}
