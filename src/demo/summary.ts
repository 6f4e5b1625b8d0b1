import { renderTable } from '../cli/terminal.ts'
import type { JobView } from '../store/job-view.ts'
import type { Evidence } from './audit.ts'
import { backupName, primaryName } from './cast.ts'

export interface Outcome extends Evidence {
  readonly parked: ReadonlySet<string>
  readonly elapsedMs: number
}

/** The table at the end: who answered, how jobs got there, and what the webhooks told. */
export const renderSummary = (outcome: Outcome): string => {
  const { jobs, deliveries, parked, elapsedMs } = outcome
  const verified = deliveries.filter(({ isVerified }) => isVerified)
  const distinct = new Set(verified.map(({ id }) => id)).size
  return renderTable([
    ...section('Answered by', answers(jobs), 'jobs submitted', jobs.length),
    ...section('Handovers, by verdict', handovers(jobs), 'handovers', sumOf(handovers(jobs))),
    ...section('Upstream calls, by verdict', calls(jobs), 'calls', sumOf(calls(jobs))),
    ['Jobs seen parked', String(parked.size)],
    ['Webhooks received', String(deliveries.length)],
    ['  verified', String(verified.length)],
    ['  repeated', String(verified.length - distinct)],
    ['Time', `${(elapsedMs / 1_000).toFixed(1)} s`],
    ['Jobs per second', (jobs.length / (elapsedMs / 1_000)).toFixed(1)],
  ])
}

type Counts = ReadonlyMap<string, number>

const section = (title: string, counts: Counts, total: string, sum: number): string[][] => [
  [title],
  ...[...counts].map(([label, count]) => [`  ${label}`, String(count)]),
  [`  = ${total}`, String(sum)],
]

const countBy = (labels: readonly string[]): Counts =>
  new Map([...Map.groupBy(labels, label => label)].map(([label, all]) => [label, all.length]))

const sumOf = (counts: Counts): number => [...counts.values()].reduce((sum, count) => sum + count, 0)

const providerLabels: Record<string, string> = {
  [primaryName]: `${primaryName} (native: OpenAI format)`,
  [backupName]: `${backupName} (translated to and from Anthropic's format)`,
}

const answers = (jobs: readonly JobView[]): Counts =>
  countBy(
    jobs
      .map(job => (job.response ? (providerLabels[job.provider] ?? job.provider) : 'nobody'))
      .toSorted()
      .toReversed(),
  )

const calls = (jobs: readonly JobView[]): Counts =>
  countBy(jobs.flatMap(({ attempts }) => attempts.map(({ verdict }) => verdict ?? 'interrupted')))

/** What ended each hop but the last: its last call's verdict, or the knowledge that a call would be in vain. */
const handovers = (jobs: readonly JobView[]): Counts =>
  countBy(
    jobs.flatMap(({ attempts }) =>
      Array.from({ length: attempts.at(-1)?.hop ?? 0 }, (_, hop) => {
        const last = attempts.findLast(attempt => attempt.hop === hop)
        return last ? (last.verdict ?? 'interrupted') : 'no call (target known to be out)'
      }),
    ),
  )
