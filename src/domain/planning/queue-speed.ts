/** A count that only rises, at a moment; `isBusy`: something waited then. */
export interface Mark {
  readonly atMs: number
  readonly count: number
  readonly isBusy: boolean
}

/** What a queue does now. */
export interface QueueSpeed {
  /** Jobs that it begins in a second while some wait; null where nothing is known. */
  readonly perSecond: number | null
  /** How long a job is with its worker, in ms; null before the first is known. */
  readonly callMs: number | null
}

export interface QueueLoad {
  readonly calling: number
  /** Calls that its workers may make at a time; null where that is not bounded. */
  readonly slots: number | null
  /** Calls that its keys may make in a minute; null where no limit is known. */
  readonly rpm: number | null
}

/** The shortest of these in which enough was counted is the one to go by: the speed is that of now. */
const spansMs = [10_000, 30_000, 120_000] as const
const enough = 20
/** Less says nothing: workers report every two seconds. */
const leastSpanMs = 1_000
/** Older marks are of no use. */
export const longestSpanMs = spansMs.at(-1)!

/** How fast the count rose of late, in a second; null as long as there is too little to tell. */
export const rateOf = (marks: readonly Mark[]): number | null => {
  const last = marks.at(-1)
  if (last === undefined) return null
  for (const spanMs of spansMs) {
    const first = marks.find(({ atMs }) => atMs >= last.atMs - spanMs)!
    const [tookMs, counted] = [last.atMs - first.atMs, last.count - first.count]
    const isWhole = spanMs === longestSpanMs || first === marks[0]
    if (tookMs >= leastSpanMs && (counted >= enough || isWhole)) return (counted * 1_000) / tookMs
  }
  return null
}

/** The marks since which something always waited: only then the count shows what a queue can do. */
const busyOnly = (marks: readonly Mark[]): readonly Mark[] =>
  marks.slice(marks.findLastIndex(({ isBusy }) => !isBusy) + 1)

/**
 * The speed of a queue: what was measured while something waited. Where nothing does, no more is known than what its workers' slots
 * and its keys' limits allow. How long a call takes follows from the calls under way and the rate at which they begin (Little's law).
 */
export const speedOf = (marks: readonly Mark[], { calling, slots, rpm }: QueueLoad): QueueSpeed => {
  const begun = rateOf(marks) ?? 0
  const callMs = begun > 0 && calling > 0 ? (calling * 1_000) / begun : null
  const measured = rateOf(busyOnly(marks))
  if (measured !== null && measured > 0) return { perSecond: measured, callMs }
  const bounds = [
    ...(rpm === null ? [] : [rpm / 60]),
    ...(slots === null || callMs === null ? [] : [(slots * 1_000) / callMs]),
  ]
  return { perSecond: bounds.length === 0 ? null : Math.min(...bounds), callMs }
}
