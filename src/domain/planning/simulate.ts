import type { RouteTarget } from '../routing/chain.ts'
import { nextStep } from '../routing/next-step.ts'
import { costOf } from '../usage.ts'
import type { Capacity } from './demand.ts'
import { createMinuteWindow, type MinuteWindow } from './minute-window.ts'
import { type PastJob, quantilesOf, recallDurations } from './past-durations.ts'

export interface Scenario {
  /** The chain of a route; undefined where there is no such route. */
  targetsOf(model: string): readonly RouteTarget[] | undefined
  /** Puts those that can serve a job in the order in which they are tried. */
  order(job: PastJob, targets: readonly RouteTarget[]): readonly RouteTarget[]
  serves(provider: string, endpoint: string): boolean
  readonly capacities: ReadonlyMap<string, Capacity>
  /** Providers that answer nothing, from the first job to the last. */
  readonly outages: ReadonlySet<string>
}

export interface SimulatedProvider {
  readonly provider: string
  readonly jobs: number
  /** The most within any minute, beside what it takes in one. */
  readonly peak: { readonly requests: number; readonly tokens: number }
  readonly capacity: Capacity
  /** US dollars, of those jobs whose tokens and price are known. */
  readonly costUsd: number
}

export interface Simulated {
  /** Those with the most jobs first. */
  readonly providers: readonly SimulatedProvider[]
  readonly answered: number
  /** Answered jobs that waited for a limit, and the longest wait. */
  readonly waited: number
  readonly longestWaitMs: number
  /** Jobs that no target is left for: they park until the outage ends, or their deadline. */
  readonly stranded: number
  /** Jobs that no target of their route can serve, outage or not. */
  readonly failed: number
  /** Jobs whose route the config does not have: refused at the door. */
  readonly refused: number
  readonly costUsd: number
  /** From the first call to the answer, with the wait for limits; null where no duration is known. */
  readonly latencyMs: { readonly median: number; readonly p95: number } | null
  /** Jobs whose cost, or whose duration there, is not known. */
  readonly unpriced: number
  readonly untimed: number
}

/** Later than any job: the end of an outage is unknown. */
const never = Number.MAX_SAFE_INTEGER

/**
 * Replays jobs in the order in which they came. An outage is noticed at once, capacity is bound only by the
 * limits, calls take as long as they took, and waiting jobs are served first come first served.
 */
export const simulate = (jobs: readonly PastJob[], scenario: Scenario): Simulated => {
  const durationOf = recallDurations(jobs).expected
  const tally = createTally(scenario)
  for (const job of jobs.toSorted((a, b) => a.createdAtMs - b.createdAtMs)) {
    const chain = scenario.targetsOf(job.model)
    if (chain === undefined) {
      tally.count('refused')
      continue
    }
    const next = place(job, chain, scenario, tally)
    if (next === 'failed' || next === 'stranded') tally.count(next)
    else tally.answer(job, next.target, next.atMs, durationOf(job, next.target))
  }
  return tally.sum()
}

const noSecondCall = { retries: 0, maxAttempts: 1, backoffOf: () => ({ baseMs: 0, capMs: 0 }) }

interface Tally {
  readonly windowOf: (provider: string) => MinuteWindow
  count(fate: 'refused' | 'failed' | 'stranded'): void
  answer(job: PastJob, target: RouteTarget, atMs: number, durationMs: number | null): void
  sum(): Simulated
}

const tokensOf = ({ answer }: PastJob): number =>
  (answer?.usage?.input_tokens ?? 0) + (answer?.usage?.output_tokens ?? 0)

/**
 * Whether the job's tokens fit. Those of one that was never answered are not known, and it is worth a call.
 */
const fits = (job: PastJob, { contextWindow }: RouteTarget): boolean =>
  contextWindow === undefined || tokensOf(job) <= contextWindow

/** Where the job goes, by the same function that moves a real one. */
const place = (
  job: PastJob,
  chain: readonly RouteTarget[],
  { serves, order, outages }: Scenario,
  { windowOf }: Tally,
): 'failed' | 'stranded' | { readonly target: RouteTarget; readonly atMs: number } => {
  const opensAt = (target: RouteTarget): number =>
    outages.has(target.provider) ? never : windowOf(target.provider).opensAt(job.createdAtMs, tokensOf(job))
  const able = chain.filter(target => serves(target.provider, job.endpoint) && fits(job, target))
  const walk = {
    ...{ targets: order(job, able), attempts: [], spent: 0, hop: 0, current: null },
    refusalHandsOver: false,
    availableAt: opensAt,
    ...{ seed: job.id, expiresAtMs: never },
  }
  const step = nextStep(walk, noSecondCall, job.createdAtMs, () => 0)
  if (step.kind === 'call') return { target: step.target, atMs: job.createdAtMs }
  if (step.kind !== 'park') return 'failed'
  const atMs = opensAt(step.target)
  return atMs === never ? 'stranded' : { target: step.target, atMs }
}

const createTally = ({ capacities }: Scenario): Tally => {
  const windows = new Map<string, MinuteWindow>()
  const costs = new Map<string, { jobs: number; costUsd: number }>()
  const counts = { refused: 0, failed: 0, stranded: 0, answered: 0, waited: 0, unpriced: 0, untimed: 0 }
  const latencies: number[] = []
  let longestWaitMs = 0
  const capacityOf = (provider: string): Capacity => capacities.get(provider) ?? { rpm: null, tpm: null }
  const windowOf = (provider: string): MinuteWindow => {
    const window = windows.get(provider) ?? createMinuteWindow(capacityOf(provider))
    windows.set(provider, window)
    return window
  }

  const answer: Tally['answer'] = (job, target, atMs, durationMs) => {
    windowOf(target.provider).take(atMs, tokensOf(job))
    const waitMs = atMs - job.createdAtMs
    counts.answered += 1
    if (waitMs > 0) counts.waited += 1
    longestWaitMs = Math.max(longestWaitMs, waitMs)
    if (durationMs === null) counts.untimed += 1
    else latencies.push(waitMs + durationMs)
    const cost = costOf(job.answer?.usage ?? null, target.price)
    if (cost === null) counts.unpriced += 1
    const known = costs.get(target.provider) ?? { jobs: 0, costUsd: 0 }
    costs.set(target.provider, { jobs: known.jobs + 1, costUsd: known.costUsd + (cost ?? 0) })
  }

  return {
    windowOf,
    count: fate => {
      counts[fate] += 1
    },
    answer,
    sum: () => ({
      ...counts,
      longestWaitMs,
      costUsd: [...costs.values()].reduce((sum, { costUsd }) => sum + costUsd, 0),
      latencyMs: quantilesOf(latencies),
      providers: [...costs]
        .map(([provider, { jobs, costUsd }]) => ({
          ...{ provider, jobs, costUsd },
          peak: { ...windowOf(provider).peak },
          capacity: capacityOf(provider),
        }))
        .toSorted((a, b) => b.jobs - a.jobs || a.provider.localeCompare(b.provider)),
    }),
  }
}
