import { z } from 'zod'
import { BatonError } from '../../domain/errors.ts'
import type { ApiParts, ApiScope } from '../parts.ts'
import { usageFigures, usageGroups } from './usage-figures.ts'
import type { UsageView } from './usage-view.ts'

const seconds = z.coerce.number().min(0).max(1e11)

export const usageQuery = z.strictObject({
  from: seconds.optional().meta({ description: 'Unix seconds; 7 days before `to` when absent.' }),
  to: seconds.optional().meta({ description: 'Unix seconds; now when absent.' }),
  group_by: z.enum(usageGroups).default('route'),
  tz: z.string().max(100).default('UTC').meta({ description: 'A time zone as `Europe/Berlin`.' }),
})

const hour = 3_600
const day = 24 * hour
/** A request reads 16 keys for each hour: these are 35,328. */
const maxDays = 92

/** `GET /v1/usage`: what jobs used and cost, by day and group. */
export const addUsageRoute = (scope: ApiScope, { usage, now }: Pick<ApiParts, 'usage' | 'now'>): void => {
  scope.get('/v1/usage', { schema: { querystring: usageQuery } }, async ({ query }): Promise<UsageView> => {
    const to = query.to ?? Math.floor(now() / 1_000)
    const from = query.from ?? to - 7 * day
    if (from > to || to - from > maxDays * day) {
      const message = `\`from\` must be before \`to\`, by ${maxDays} days at most.`
      throw new BatonError('invalid_request', message, { param: 'from' })
    }
    if (!isTimeZone(query.tz)) {
      throw new BatonError('invalid_request', '`tz` must be a time zone, as `Europe/Berlin`.', {
        param: 'tz',
      })
    }
    // Whole hours: the first and the last are told of whole.
    const first = Math.floor(from / hour)
    const last = Math.max(first, Math.ceil(to / hour) - 1)
    const sums = await usage.read(first, last)
    return {
      ...{ from: first * hour, to: (last + 1) * hour, time_zone: query.tz },
      ...usageFigures(sums, query.group_by, query.tz),
    }
  })
}

const isTimeZone = (name: string): boolean => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}
