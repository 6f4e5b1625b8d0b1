import { costUnits } from '../../domain/usage.ts'
import type { UsageSum } from '../../jobs/usage.ts'
import type { UsageFigures, UsageView } from './usage-view.ts'

export const usageGroups = ['route', 'provider', 'model', 'day'] as const
export type UsageGroup = (typeof usageGroups)[number]

type Amounts = Omit<UsageSum, 'hour' | 'route' | 'provider' | 'model'>
type Data = Pick<UsageView, 'cut_at' | 'total' | 'data'>

const secondsAnHour = 3_600

/** Hours in days of a time zone, each day in groups, by their names. */
export const usageFigures = (sums: readonly UsageSum[], by: UsageGroup, timeZone: string): Data => {
  const { dayOf, isWhole } = createDays(timeZone)
  const rows = new Map<string, { day: string; group: string; sum: Amounts }>()
  let total = none
  for (const each of sums) {
    const day = dayOf(each.hour)
    const group = by === 'day' ? day : by === 'model' ? `${each.provider}/${each.model}` : each[by]
    const name = `${day} ${group}`
    rows.set(name, { day, group, sum: plus(rows.get(name)?.sum ?? none, each) })
    total = plus(total, each)
  }
  const inOrder = [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row)
  return {
    cut_at: sums.every(({ hour }) => isWhole(hour)) ? 'zone' : 'utc_hour',
    total: figuresOf(total),
    data: inOrder.map(({ day, group, sum }) => ({ day, group, ...figuresOf(sum) })),
  }
}

/** The hours of the day that it is in a time zone, from the first up to that which runs, in hours since 1970. */
export const hoursOfToday = (
  timeZone: string,
  nowMs: number,
): { readonly from: number; readonly to: number } => {
  const { dayOf } = createDays(timeZone)
  const to = Math.floor(nowMs / 1_000 / secondsAnHour)
  let from = to
  while (dayOf(from - 1) === dayOf(to)) from -= 1
  return { from, to }
}

const none: Amounts = { requests: 0, failed: 0, input: 0, cached: 0, output: 0, cost: 0, unpriced: 0 }

const plus = (a: Amounts, b: Amounts): Amounts => ({
  requests: a.requests + b.requests,
  failed: a.failed + b.failed,
  input: a.input + b.input,
  cached: a.cached + b.cached,
  output: a.output + b.output,
  cost: a.cost + b.cost,
  unpriced: a.unpriced + b.unpriced,
})

const figuresOf = ({ requests, failed, input, cached, output, cost, unpriced }: Amounts): UsageFigures => ({
  ...{ requests, failed, input_tokens: input, cached_tokens: cached, output_tokens: output },
  // Where no price is known at all, the sum is not 0.
  cost_usd: cost === 0 && unpriced > 0 ? null : cost / costUnits,
  unpriced,
})

/** The day that an hour begins in, and whether it begins with an hour of the zone: some are half an hour off. */
const createDays = (timeZone: string) => {
  const format = new Intl.DateTimeFormat('en-CA', {
    ...{ timeZone, hourCycle: 'h23' },
    ...{ year: 'numeric', month: '2-digit', day: '2-digit', minute: '2-digit' },
  })
  const known = new Map<number, { day: string; isWhole: boolean }>()
  const of = (hour: number) => {
    const earlier = known.get(hour)
    if (earlier !== undefined) return earlier
    const parts = Object.fromEntries(
      format.formatToParts(hour * secondsAnHour * 1_000).map(({ type, value }) => [type, value]),
    )
    const found = { day: `${parts.year}-${parts.month}-${parts.day}`, isWhole: Number(parts.minute) === 0 }
    known.set(hour, found)
    return found
  }
  return { dayOf: (hour: number) => of(hour).day, isWhole: (hour: number) => of(hour).isWhole }
}
