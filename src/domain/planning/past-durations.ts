import type { Target, Usage } from '../job.ts'

/** The part of a past job that can be played again. */
export interface PastJob {
  readonly id: string
  /** The route that was asked for. */
  readonly model: string
  readonly endpoint: string
  readonly createdAtMs: number
  /** The target that answered, how long that call took and what it used; null without an answer. */
  readonly answer: {
    readonly provider: string
    readonly model: string
    readonly durationMs: number
    readonly usage: Usage | null
  } | null
}

export interface Quantiles {
  readonly median: number
  readonly p95: number
}

/** Null without values. */
export const quantilesOf = (values: readonly number[]): Quantiles | null => {
  if (values.length === 0) return null
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!
  return { median: at(0.5), p95: at(0.95) }
}

/** How long the answers of past jobs took, in milliseconds; null where nothing is known. */
export interface Durations {
  /**
   * The duration of the job's own answer, if it was answered there; else the median of those that were, there or at the same provider.
   */
  expected(job: PastJob, target: Target): number | null
  p95(target: Target): number | null
}

export const recallDurations = (jobs: readonly PastJob[]): Durations => {
  const seen = new Map<string, number[]>()
  for (const { answer } of jobs) {
    if (answer === null) continue
    for (const name of [answer.provider, `${answer.provider}/${answer.model}`]) {
      const durations = seen.get(name)
      if (durations) durations.push(answer.durationMs)
      else seen.set(name, [answer.durationMs])
    }
  }
  const known = new Map([...seen].map(([name, durations]) => [name, quantilesOf(durations)]))
  return {
    expected: ({ answer }, { provider, model }) => {
      if (answer?.provider === provider && answer.model === model) return answer.durationMs
      return (known.get(`${provider}/${model}`) ?? known.get(provider))?.median ?? null
    },
    p95: ({ provider, model }) => known.get(`${provider}/${model}`)?.p95 ?? null,
  }
}
