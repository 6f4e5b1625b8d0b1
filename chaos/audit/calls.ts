import type { Call, Evidence, Violation } from './evidence.ts'
import { type Risk, riskOfCall, risksOf } from './risks.ts'

export interface CallFigures {
  readonly calls: number
  /** Answered 200, whole. */
  readonly good: number
  /** Good calls beyond one for each request. */
  readonly wasted: number
  /** Good calls that were under way when a process was killed or frozen or a connection lost: all that may be wasted. */
  readonly atRisk: number
}

const isGood = ({ status, outcome }: Call): boolean => status === 200 && outcome === 'ok'

export const callFigures = ({ calls, faults, lives }: Evidence): CallFigures => {
  const risks = risksOf(faults, lives)
  const good = calls.filter(isGood)
  const requests = new Set(good.map(({ identity }) => identity)).size
  return {
    calls: calls.length,
    good: good.length,
    wasted: good.length - requests,
    atRisk: good.filter(call => riskOfCall(call, risks)).length,
  }
}

/**
 * No provider is asked twice except for an answer that a fault took: all but one of the good calls of each
 * request must have been under way at a fault. What succeeded was called for, and what was refused at the
 * door was not.
 */
export const judgeCalls = (evidence: Evidence): Violation[] => {
  const { ledger, calls, faults, lives } = evidence
  const risks = risksOf(faults, lives)
  const byMarker = Map.groupBy(calls, ({ identity }) => identity ?? '')
  const ids = idsByMarker(evidence)
  const about = (marker: string, what: string): Violation => ({
    rule: 'calls',
    id: ids.get(marker) ?? null,
    marker,
    what,
  })
  const succeeded = markersOfSuccess(evidence)
  const refused = ledger.jobs
    .filter(({ order }) => order.fate === 'malformed')
    .map(({ order }) => order.marker)

  return [
    ...[...byMarker].flatMap(([marker, made]) => {
      if (marker !== '' && !ids.has(marker) && !refused.includes(marker))
        return [about(marker, 'was called for and never submitted')]
      const what = repetitionFault(made.filter(isGood), risks)
      return what === null ? [] : [about(marker, what)]
    }),
    ...[...succeeded]
      .filter(marker => !byMarker.get(marker)?.some(isGood))
      .map(marker => about(marker, 'succeeded, and no provider answered it')),
    ...refused
      .filter(marker => byMarker.has(marker))
      .map(marker => about(marker, 'was refused at the door, and called for all the same')),
  ]
}

const repetitionFault = (good: readonly Call[], risks: readonly Risk[]): string | null => {
  const excused = good.filter(call => riskOfCall(call, risks)).length
  return good.length - 1 > excused
    ? `was answered ${good.length} times, and a fault can have cost ${excused} of these answers`
    : null
}

/** By marker, the id of the job that was submitted, or of the batch that a line is in. */
const idsByMarker = ({ ledger }: Evidence): ReadonlyMap<string, string | null> =>
  new Map([
    ...ledger.jobs
      .filter(({ order }) => order.fate !== 'malformed')
      .map(e => [e.order.marker, e.id] as const),
    ...ledger.batches.flatMap(({ order, id }) => order.lines.map(({ marker }) => [marker, id] as const)),
  ])

const markersOfSuccess = ({ ledger, jobs, batches }: Evidence): readonly string[] => [
  ...ledger.jobs
    .filter(({ id }) => id !== null && jobs.get(id)?.status === 'succeeded')
    .map(({ order }) => order.marker),
  ...[...batches.values()].flatMap(({ output }) =>
    output
      .split('\n')
      .filter(line => line !== '')
      .map(line => (JSON.parse(line) as { custom_id: string }).custom_id),
  ),
]
