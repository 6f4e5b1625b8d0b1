import type { Cluster, Redis } from 'ioredis'
import type { Target } from '../domain/job.ts'
import { costOfAll, costUnits } from '../domain/usage.ts'
import { type Keys, shards } from '../redis/keys.ts'
import { formatTarget, parseTarget } from './record.ts'
import type { JobResult } from './types.ts'
import { answererOf } from './view.ts'

/** What the jobs of a route used that one model of a provider answered, or was the last to be asked, in one hour. */
export interface UsageSum {
  /** Whole hours since 1970, of the time at which they ended. */
  readonly hour: number
  readonly route: string
  readonly provider: string
  readonly model: string
  readonly requests: number
  /** Those that did not succeed: failed, cancelled or expired. */
  readonly failed: number
  /** Tokens; `cached` are among those of the input. */
  readonly input: number
  readonly cached: number
  readonly output: number
  /** Whole hundred-millionths of a dollar. */
  readonly cost: number
  /** Answered requests whose cost is not known. */
  readonly unpriced: number
}

export interface Usage {
  /** Sums of these hours, the last one included. It reads as many keys as there are shards for each of them. */
  read(fromHour: number, toHour: number): Promise<readonly UsageSum[]>
}

/** The first letter of a field, by which the scripts name what it counts: see `note_end` in finish.lua. */
const kinds = {
  r: 'requests',
  f: 'failed',
  i: 'input',
  c: 'cached',
  o: 'output',
  d: 'cost',
  u: 'unpriced',
} as const

/** Read at a time, so that a long time does not hold Redis up. */
const hoursAtOnce = 24

type Amounts = Record<(typeof kinds)[keyof typeof kinds], number>

/** Reads the counters that the end of each job adds to. */
export const createUsage = (redis: Redis | Cluster, keys: Keys): Usage => {
  const readHour = async (hour: number): Promise<UsageSum[]> => {
    const sums = new Map<string, Amounts>()
    const hashes = await Promise.all(shards.map(shard => redis.hgetall(keys.usage(shard, hour))))
    for (const [field, value] of hashes.flatMap(Object.entries<string>)) {
      const kind = kinds[field[0] as keyof typeof kinds]
      const name = field.slice(1)
      const sum = sums.get(name) ?? noAmounts()
      sum[kind] += Number(value)
      sums.set(name, sum)
    }
    return [...sums].map(([name, sum]) => {
      const end = name.indexOf('\n')
      return { hour, route: name.slice(end + 1), ...parseTarget(name.slice(0, end)), ...sum }
    })
  }

  return {
    read: async (fromHour, toHour) => {
      const found: UsageSum[] = []
      for (let from = fromHour; from <= toHour; from += hoursAtOnce) {
        const length = Math.min(hoursAtOnce, toHour - from + 1)
        found.push(...(await Promise.all(Array.from({ length }, (_, i) => readHour(from + i)))).flat())
      }
      return found
    },
  }
}

const noAmounts = (): Amounts => ({
  ...{ requests: 0, failed: 0, input: 0, cached: 0, output: 0, cost: 0, unpriced: 0 },
})

/**
 * What an end adds to the counters of usage: who answered, tokens of the input, those of
 * them from a cache, and of the output (false where they are not known), what all calls cost as far as this worker
 * knows, and what those cost that it has not logged, in whole hundred-millionths of a dollar. Last comes the code of
 * its error.
 */
export const encodeBill = ({
  attempts,
  usage,
  costUsd,
  cachedFrom,
  target,
  error,
}: JobResult & { readonly target: Target }) => {
  const units = (cost: number | null) => cost !== null && Math.round(cost * costUnits)
  const answered = formatTarget(answererOf({ attempts, target, cachedFrom: cachedFrom ?? null }))
  const tokens = usage && [usage.input_tokens, usage.cache_read_tokens ?? 0, usage.output_tokens]
  const amounts = [...(tokens ?? [false, 0, 0]), units(costUsd), units(costOfAll(attempts))]
  return [answered, ...amounts, error?.code ?? '']
}
