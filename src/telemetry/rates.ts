/** Counters that only grow, by name. */
export type Counters = Readonly<Record<string, number>>

/** What counted, at a moment: processes and workers by name. */
export type CountedBy = ReadonlyMap<string, Counters>

/** How fast counters of many processes grow together. */
export interface Rates {
  /** What all say at this moment. */
  note(atMs: number, counted: CountedBy): void
  /** In a second, over the span that is kept; null before two moments are known. */
  perSecond(name: string): number | null
  /** By how much counters whose names begin so grew in that span, by the rest of their names. */
  growth(start: string): ReadonlyMap<string, number>
}

/** Of a shorter time no rate is told: processes say every two seconds what they counted. */
const leastMs = 1_000

interface Moment {
  readonly atMs: number
  readonly counted: CountedBy
}

/**
 * A process that is new in the span counts from when it was first seen: one that was away for a while would else count all that it ever
 * did as done just now. One that has gone takes with it what it did since it was last seen.
 */
export const createRates = (spanMs: number): Rates => {
  let moments: readonly Moment[] = []

  const grown = (name: string): number => {
    const last = moments.at(-1)!
    let sum = 0
    for (const [who, counters] of last.counted) {
      const first = moments.find(({ counted }) => counted.has(who))!
      sum += Math.max(0, (counters[name] ?? 0) - (first.counted.get(who)![name] ?? 0))
    }
    return sum
  }

  return {
    note: (atMs, counted) => {
      // One before the span is kept, so that the span is whole, unless nobody has looked for long.
      const from = moments.findLastIndex(moment => moment.atMs <= atMs - spanMs)
      const kept = moments.slice(Math.max(0, from)).filter(moment => moment.atMs > atMs - 2 * spanMs)
      moments = [...kept, { atMs, counted }]
    },
    perSecond: name => {
      const tookMs = moments.length < 2 ? 0 : moments.at(-1)!.atMs - moments[0]!.atMs
      return tookMs < leastMs ? null : Math.round((grown(name) * 100_000) / tookMs) / 100
    },
    growth: start => {
      const names = new Set([...(moments.at(-1)?.counted.values() ?? [])].flatMap(Object.keys))
      const own = [...names].filter(name => name.startsWith(start))
      return new Map(own.map(name => [name.slice(start.length), grown(name)]))
    },
  }
}
