import type { Cluster, Redis } from 'ioredis'
import { costUnits } from '../domain/usage.ts'
import type { CountedBy } from '../telemetry/rates.ts'
import { createRates } from '../telemetry/rates.ts'
import { p95Within } from './counted-work.ts'

/** One minute of all processes together; rates are in a second. */
export interface HistoryRow {
  /** Unix seconds at which the minute begins. */
  readonly at: number
  readonly accepted: number | null
  readonly ended: number | null
  readonly failed: number | null
  readonly handovers: number | null
  readonly waiting: number
  /** US dollars that what ended in that minute cost; absent in rows of before it was counted. */
  readonly cost_usd?: number | null
  /** Of each provider: attempts, failures, p95 in ms, waiting, the worst state. */
  readonly providers: Readonly<
    Record<string, readonly [number | null, number | null, number | null, number, string]>
  >
}

/** What is seen at one moment. */
export interface Sample {
  readonly counted: CountedBy
  readonly providers: readonly { readonly name: string; readonly state: string; readonly waiting: number }[]
}

export interface History {
  write(row: HistoryRow): Promise<void>
  /** Rows whose minutes begin from `from` to `to`, in Unix seconds, the oldest first. */
  read(from: number, to: number): Promise<readonly HistoryRow[]>
}

const minute = 60
/** 25 hours: a day, and what it is compared to. */
const keptMinutes = 25 * 60

/** Costs by hour, in units of which there are `costUnits` in a dollar: as much of an hour as has passed. */
export type CostsByHour = ReadonlyMap<number, number>

/** What was added to counters of cost between two looks, in US dollars; null before the second. */
export const createCostMeter = (): ((costs: CostsByHour) => number | null) => {
  let before: CostsByHour | null = null
  return costs => {
    const known = before
    before = costs
    if (known === null) return null
    const added = [...costs].map(([hour, cost]) => Math.max(0, cost - (known.get(hour) ?? 0)))
    return added.reduce((sum, cost) => sum + cost, 0) / costUnits
  }
}

/** Rows stand in a ring, so that they never take more than their number: a minute overwrites that of 25 hours before. */
export const createHistory = (redis: Redis | Cluster, prefix: string): History => {
  const key = `${prefix}:{health}:history`
  return {
    write: async row => {
      await redis.hset(key, String((row.at / minute) % keptMinutes), JSON.stringify(row))
    },
    read: async (from, to) =>
      Object.values(await redis.hgetall(key))
        .map(text => JSON.parse(text) as HistoryRow)
        .filter(({ at }) => at >= from && at <= to)
        .toSorted((a, b) => a.at - b.at),
  }
}

const badness = ['healthy', 'recovering', 'throttled', 'slow', 'probing', 'down', 'paused']
const worseOf = (a: string, b: string): string => (badness.indexOf(b) > badness.indexOf(a) ? b : a)

/** Adds samples up to rows: answers the row of a minute with the first sample after it, else null. */
export const createMinutes = (): ((atMs: number, sample: Sample) => HistoryRow | null) => {
  const rates = createRates(minute * 1_000)
  let at = 0
  let last: Sample | null = null
  let states = new Map<string, string>()

  const rowOf = ({ providers }: Sample): HistoryRow => ({
    at,
    accepted: rates.perSecond('accepted'),
    ended: rates.perSecond('ended'),
    failed: rates.perSecond('failed'),
    handovers: rates.perSecond('handovers'),
    waiting: providers.reduce((sum, { waiting }) => sum + waiting, 0),
    providers: Object.fromEntries(
      providers.map(({ name, waiting, state }) => [
        name,
        [
          rates.perSecond(`attempts:${name}`),
          rates.perSecond(`failures:${name}`),
          p95Within(rates, name),
          waiting,
          states.get(name) ?? state,
        ],
      ]),
    ),
  })

  return (atMs, sample) => {
    const now = Math.floor(atMs / 1_000 / minute) * minute
    const row = last !== null && now > at ? rowOf(last) : null
    if (now > at) states = new Map()
    at = now
    last = sample
    rates.note(atMs, sample.counted)
    for (const { name, state } of sample.providers)
      states.set(name, worseOf(states.get(name) ?? state, state))
    return row
  }
}
