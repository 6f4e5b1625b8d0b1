/** How a target has done of late. */
export interface TargetFigures {
  /** Failures that count; each counts for less as time goes on. */
  readonly failures: number
  /** 19 of 20 answers took no longer; null when there were none of late. */
  readonly p95Ms: number | null
}

/** Counts of one process, as of a moment: all of them fade together, so one time is enough. */
export interface Tally {
  readonly atMs: number
  /** Half of which is gone after `failureHalfLifeMs`. */
  readonly failures: number
  /** Answers by how long they took: number of the bucket, count. The same after `answerHalfLifeMs`. */
  readonly answers: Readonly<Record<number, number>>
}

export const failureHalfLifeMs = 30_000
const answerHalfLifeMs = 60_000
/**
 * What is left of a single answer after four minutes, and of a hundred after ten: less is as good as none. Sooner, a route with few
 * jobs would know nothing; later, who was slow once would not be looked at again.
 */
const leastAnswers = 0.5 ** 4

/** Each bucket reaches a quarter further than the one before: good enough to tell which is faster. */
const growth = 1.25
const firstBucketMs = 10
const lastBucket = 50

const bucketOf = (durationMs: number): number =>
  durationMs <= firstBucketMs
    ? 0
    : Math.min(lastBucket, Math.ceil(Math.log(durationMs / firstBucketMs) / Math.log(growth)))

const endOf = (bucket: number): number => firstBucketMs * growth ** bucket

export const emptyTally: Tally = { atMs: 0, failures: 0, answers: {} }

/** The same counts at a later moment. */
const faded = (tally: Tally, nowMs: number): Tally => {
  const ageMs = Math.max(0, nowMs - tally.atMs)
  const left = 0.5 ** (ageMs / answerHalfLifeMs)
  const answers: Record<number, number> = {}
  for (const [bucket, count] of Object.entries(tally.answers)) {
    // What no longer shows is let go, so that a tally does not grow for ever.
    if (count * left > 0.001) answers[Number(bucket)] = count * left
  }
  return { atMs: nowMs, failures: tally.failures * 0.5 ** (ageMs / failureHalfLifeMs), answers }
}

/** One more answer that took so long, or one more failure. */
export const counted = (tally: Tally, outcome: number | 'failure', nowMs: number): Tally => {
  const now = faded(tally, nowMs)
  if (outcome === 'failure') return { ...now, failures: now.failures + 1 }
  const bucket = bucketOf(outcome)
  return { ...now, answers: { ...now.answers, [bucket]: (now.answers[bucket] ?? 0) + 1 } }
}

/** What the tallies of all processes come to. */
export const figuresOf = (tallies: readonly Tally[], nowMs: number): TargetFigures => {
  const answers = new Map<number, number>()
  let [failures, total] = [0, 0]
  for (const tally of tallies) {
    const now = faded(tally, nowMs)
    failures += now.failures
    for (const [bucket, count] of Object.entries(now.answers)) {
      answers.set(Number(bucket), (answers.get(Number(bucket)) ?? 0) + count)
      total += count
    }
  }
  if (total < leastAnswers) return { failures, p95Ms: null }
  let seen = 0
  for (const [bucket, count] of [...answers].sort(([a], [b]) => a - b)) {
    seen += count
    // A sum of fractions may miss its total by a hair.
    if (seen >= 0.95 * total - 1e-9) return { failures, p95Ms: Math.round(endOf(bucket)) }
  }
  return { failures, p95Ms: null }
}
