import type { UsageSum } from '../../jobs/usage.ts'
import type { ApiParts } from '../parts.ts'
import { hoursOfToday, usageFigures } from './usage-figures.ts'

export interface CostToday {
  /** Null where nothing of it has a price. */
  readonly cost_today_usd: number | null
  readonly unpriced_today: number
}

/** The hour that runs is read so often, those before it once in a while: a process may be late to write an end down. */
const readAgainMs = 5_000
const readPastAgainMs = 60_000

/** What jobs have cost since the day began in `ui.time_zone`. Called about once a second while a page is open. */
export const createCostToday = ({
  usage,
  config,
  now,
}: Pick<ApiParts, 'usage' | 'config' | 'now'>): (() => Promise<CostToday>) => {
  const timeZone = config.ui.time_zone
  const past = keep(readPastAgainMs, now, usage.read)
  const running = keep(readAgainMs, now, usage.read)
  return async () => {
    const { from, to } = hoursOfToday(timeZone, now())
    const sums = await Promise.all([from < to ? past(from, to - 1) : [], running(to, to)])
    const { total } = usageFigures(sums.flat(), 'day', timeZone)
    return { cost_today_usd: total.cost_usd, unpriced_today: total.unpriced }
  }
}

type Read = (fromHour: number, toHour: number) => Promise<readonly UsageSum[]>

/** What was read of the same hours less than `forMs` ago. */
const keep = (forMs: number, now: () => number, read: Read): Read => {
  let kept: { readonly hours: string; readonly atMs: number; readonly sums: readonly UsageSum[] } | null =
    null
  return async (fromHour, toHour) => {
    const hours = `${fromHour}-${toHour}`
    if (kept?.hours === hours && now() - kept.atMs < forMs) return kept.sums
    const atMs = now()
    const sums = await read(fromHour, toHour)
    kept = { hours, atMs, sums }
    return sums
  }
}
