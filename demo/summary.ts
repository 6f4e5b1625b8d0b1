import type { BatchView } from '../src/batches/view.ts'
import type { JobView } from '../src/jobs/view.ts'
import { renderTable } from '../src/terminal/format.ts'
import type { Deliveries } from './audit.ts'
import type { Logbook } from './logbook.ts'
import { backupName, primaryName } from './simulated-services.ts'

export interface Outcome {
  readonly batch: BatchView
  readonly jobs: readonly JobView[]
  readonly deliveries: Deliveries
  readonly logbook: Logbook
  readonly elapsedMs: number
}

/** The table at the end: which targets answered, how requests got there, and what the webhooks said. */
export const renderSummary = ({ batch, jobs, deliveries, logbook, elapsedMs }: Outcome): string => {
  const verified = deliveries.filter(({ isVerified }) => isVerified)
  const distinct = new Set(verified.map(({ id }) => id)).size
  const requests = batch.request_counts.total + jobs.length
  return renderTable([
    ...section('Lines of the batch, answered by', batchAnswers(batch), 'lines'),
    ...section('Single jobs, answered by', jobAnswers(jobs), 'jobs'),
    ...section('Handovers, by verdict', logbook.handovers, 'handovers'),
    ...section('Calls without a good answer, by verdict', logbook.failedCalls, 'calls'),
    ['Parked at some time', String(logbook.parked.size)],
    ['Webhooks received', String(deliveries.length)],
    ['  verified', String(verified.length)],
    ['  repeated', String(verified.length - distinct)],
    ['Time', `${(elapsedMs / 1_000).toFixed(1)} s`],
    ['Answers per second', (requests / (elapsedMs / 1_000)).toFixed(1)],
  ])
}

type Counts = ReadonlyMap<string, number>

const section = (title: string, counts: Counts, noun: string): string[][] => [
  [title],
  ...[...counts].toSorted().map(([label, count]) => [`  ${label}`, String(count)]),
  [`  = ${noun}`, String([...counts.values()].reduce((sum, count) => sum + count, 0))],
]

const providerLabels: Readonly<Record<string, string>> = {
  [primaryName]: `${primaryName} (native: OpenAI format)`,
  [backupName]: `${backupName} (translated to and from Anthropic's format)`,
}

const labelOf = (provider: string): string => providerLabels[provider] ?? provider

const batchAnswers = ({ providers, request_counts: { failed } }: BatchView): Counts =>
  new Map([
    ...Object.entries(providers).map(([name, lines]): [string, number] => [labelOf(name), lines]),
    ...(failed > 0 ? [['nobody', failed] as const] : []),
  ])

const jobAnswers = (jobs: readonly JobView[]): Counts =>
  new Map(
    [...Map.groupBy(jobs, job => (job.response ? labelOf(job.provider) : 'nobody'))].map(
      ([label, answered]) => [label, answered.length],
    ),
  )
