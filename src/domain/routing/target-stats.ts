/** How a target has done of late. */
export interface TargetFigures {
  /** Failures since the last answer; each counts for less as time goes on. */
  readonly failures: number
  /** The part of the calls that were answered, 0 to 1, in the last minutes. */
  readonly successShare: number
  /** 19 of 20 answers took no longer; null when there were none of late. */
  readonly p95Ms: number | null
  /** 19 of 20 answers that were streamed had their first content by then; null when there were none of late. */
  readonly firstTokenP95Ms: number | null
}

/** Answers by how long they took: number of the bucket, count. */
type Histogram = Readonly<Record<number, number>>

/** Counts of one process, as of a moment: all of them fade together, so one time is enough. */
export interface Tally {
  readonly atMs: number
  /** Since the last answer. Half of them is gone after `failureHalfLifeMs`. */
  readonly failures: number
  /** Unix ms of the last of them, and of the last answer; 0 without any. */
  readonly failedAtMs: number
  readonly answeredAtMs: number
  /** All calls that failed, throttled ones apart: they fade like the answers. */
  readonly failed: number
  /** Half of them is gone after `answerHalfLifeMs`. */
  readonly answers: Histogram
  /** The same of streams, by how long their first content took. */
  readonly firsts: Histogram
}

export const failureHalfLifeMs = 30_000
const answerHalfLifeMs = 60_000
/**
 * What is left of a single answer after four minutes, and of a hundred after ten: less is as good as none. Sooner, a route with few
 * jobs would know nothing; later, who was slow once would not be looked at again.
 */
const leastAnswers = 0.5 ** 4

/** Calls that a target is taken to have answered before the first that is known: one failure is no judgement. */
const trusted = 2

/** Each bucket reaches a quarter further than the one before: good enough to tell which is faster. */
const growth = 1.25
const firstBucketMs = 10
const lastBucket = 50

/** The number of the bucket that a duration in ms counts in. */
export const bucketOf = (durationMs: number): number =>
  durationMs <= firstBucketMs
    ? 0
    : Math.min(lastBucket, Math.ceil(Math.log(durationMs / firstBucketMs) / Math.log(growth)))

const endOf = (bucket: number): number => firstBucketMs * growth ** bucket

export const emptyTally: Tally = {
  ...{ atMs: 0, failures: 0, failedAtMs: 0, answeredAtMs: 0, failed: 0 },
  answers: {},
  firsts: {},
}

const fadedCounts = (counts: Histogram, left: number): Histogram => {
  const entries = Object.entries(counts).map(([bucket, count]) => [bucket, count * left] as const)
  // What no longer shows is let go, so that a tally does not grow for ever.
  return Object.fromEntries(entries.filter(([, count]) => count > 0.001))
}

const withOneMore = (counts: Histogram, ms: number): Histogram => {
  const bucket = bucketOf(ms)
  return { ...counts, [bucket]: (counts[bucket] ?? 0) + 1 }
}

/** The same counts at a later moment. */
const faded = (told: Tally, nowMs: number): Tally => {
  // A process of an earlier version tells less.
  const tally = { ...emptyTally, ...told }
  const ageMs = Math.max(0, nowMs - tally.atMs)
  const left = 0.5 ** (ageMs / answerHalfLifeMs)
  return {
    ...tally,
    atMs: nowMs,
    failures: tally.failures * 0.5 ** (ageMs / failureHalfLifeMs),
    failed: tally.failed * left,
    answers: fadedCounts(tally.answers, left),
    firsts: fadedCounts(tally.firsts, left),
  }
}

/** How a call ended: answered after so many ms, failed, or turned away because too much was asked. */
export type CallEnd = number | 'failure' | 'throttled'

/**
 * One more call. An answer clears the failures before it. `firstTokenMs`: how long the first content of an answer took that was
 * streamed; null for others.
 */
export const counted = (
  tally: Tally,
  end: CallEnd,
  nowMs: number,
  firstTokenMs: number | null = null,
): Tally => {
  const now = faded(tally, nowMs)
  if (typeof end !== 'number')
    return {
      ...now,
      failures: now.failures + 1,
      failedAtMs: nowMs,
      failed: now.failed + (end === 'failure' ? 1 : 0),
    }
  return {
    ...now,
    failures: 0,
    answeredAtMs: nowMs,
    answers: withOneMore(now.answers, end),
    firsts: firstTokenMs === null ? now.firsts : withOneMore(now.firsts, firstTokenMs),
  }
}

const sumOf = (histograms: readonly Histogram[]) => {
  const counts = new Map<number, number>()
  let total = 0
  for (const [bucket, count] of histograms.flatMap(histogram => Object.entries(histogram))) {
    counts.set(Number(bucket), (counts.get(Number(bucket)) ?? 0) + count)
    total += count
  }
  return { counts, total }
}

const p95OfLate = ({ counts, total }: ReturnType<typeof sumOf>): number | null =>
  total < leastAnswers ? null : p95Of(counts, total)

/** What the tallies of all processes come to. */
export const figuresOf = (tallies: readonly Tally[], nowMs: number): TargetFigures => {
  const all = tallies.map(tally => faded(tally, nowMs))
  const answeredAtMs = Math.max(0, ...all.map(tally => tally.answeredAtMs))
  const answers = sumOf(all.map(tally => tally.answers))
  const failed = all.reduce((sum, tally) => sum + tally.failed, 0)
  // An answer to one process clears what failed in others before it.
  const failures = all
    .filter(tally => tally.failedAtMs >= answeredAtMs)
    .reduce((sum, tally) => sum + tally.failures, 0)
  return {
    failures,
    successShare: (answers.total + trusted) / (answers.total + failed + trusted),
    p95Ms: p95OfLate(answers),
    firstTokenP95Ms: p95OfLate(sumOf(all.map(tally => tally.firsts))),
  }
}

/** 19 of 20 took no longer than this, in ms, by the counts of the buckets; null without any. */
export const p95Of = (answers: ReadonlyMap<number, number>, total: number): number | null => {
  let seen = 0
  for (const [bucket, count] of [...answers].sort(([a], [b]) => a - b)) {
    seen += count
    // A sum of fractions may miss its total by a hair.
    if (seen >= 0.95 * total - 1e-9) return Math.round(endOf(bucket))
  }
  return null
}
