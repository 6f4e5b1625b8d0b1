import type { BatchView } from '../../src/batches/view.ts'
import { renderDuration, renderTable } from '../../src/terminal/format.ts'
import { callFigures } from '../audit/calls.ts'
import type { Evidence } from '../audit/evidence.ts'
import { webhooksMeanwhile } from '../audit/held-webhooks.ts'
import type { FaultKind } from '../plan/faults.ts'
import type { Settled } from '../settle.ts'
import { recoveries, type SignsOfLife } from './recovery.ts'

export interface Outcome {
  readonly evidence: Evidence
  readonly signs: Pick<SignsOfLife, 'apiAnsweredAtMs' | 'linesAtMs' | 'batchesOpen'>
  readonly settled: Settled
  /** Log lines that say so. */
  readonly handovers: number
  /** The same of jobs whose doorbell was lost: found after a minute of silence. */
  readonly reconciled: number
  readonly durationMs: number
  /** By how many ms the clock of each process was off from the start. */
  readonly clocksOff: ReadonlyMap<string, number>
  readonly redisVersion: string
}

const countBy = (names: readonly string[]): string[][] =>
  [...Map.groupBy(names, name => name)].toSorted().map(([name, all]) => [`  ${name}`, String(all.length)])

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`

const describeOff = (ms: number): string => `${renderDuration(Math.abs(ms))} ${ms > 0 ? 'ahead' : 'behind'}`

/** The tables at the end of a run, whether it passed or not. */
export const renderFigures = (outcome: Outcome): string => {
  const { evidence, signs, settled, handovers, reconciled, durationMs, redisVersion } = outcome
  const { faults, deliveries, calls, residentBytes } = evidence
  const figures = callFigures(evidence)
  const meanwhile = webhooksMeanwhile(evidence)
  const verified = deliveries.filter(({ isVerified }) => isVerified)
  const distinct = new Set(verified.map(({ id }) => id)).size
  const recovered = recoveries(faults, { ...signs, calls, deliveries })
  return [
    renderTable([
      ['Requests', ''],
      ...endsOfJobs(evidence),
      ...endsOfLines([...evidence.batches.values()].map(({ view }) => view)),
      ['Faults', String(faults.length)],
      ...countBy(faults.map(({ kind }) => kind)),
      ['  of them kill -9', String(faults.filter(({ kind }) => isKill(kind)).length)],
      ['Clocks', ''],
      ...[...outcome.clocksOff].map(([name, ms]) => [`  ${name}`, ms === 0 ? 'right' : describeOff(ms)]),
      ['Calls', String(figures.calls)],
      ['  answered', String(figures.good)],
      ['  wasted: answered again', String(figures.wasted)],
      ['  at most, by calls in flight at faults', String(figures.atRisk)],
      ['Handovers', String(handovers)],
      ['Recovered by the reconciler', String(reconciled)],
      ['Answered while Redis was full', String(answeredWhile('redis-full', evidence))],
      ['Webhooks that came', String(verified.length)],
      ['  repeated', String(verified.length - distinct)],
      ['  dead letters', String(evidence.deadLetters.size)],
      ['  owed to sound receivers while others hung or had no name', String(meanwhile.ended)],
      ['  of them came then', String(meanwhile.came)],
      ['  brought forward from minutes away', String(settled.broughtForward)],
      ['Redis', redisVersion],
      ['Time', renderDuration(durationMs)],
      ['  of it after the last fault', seconds(settled.tookMs)],
    ]),
    renderTable([
      ['From the end of a fault to the next answer', 'faults', 'median', 'worst'],
      ...recovered.map(({ kind, count, medianMs, worstMs }) => [
        `  ${kind}`,
        String(count),
        seconds(medianMs),
        seconds(worstMs),
      ]),
    ]),
    renderTable([
      ['In RAM at the end', ''],
      ...[...residentBytes].map(([name, bytes]) => [`  ${name}`, `${Math.round(bytes / 1e6)} MB`]),
    ]),
  ].join('\n\n')
}

/** Good answers that ended between the beginning and the end of faults of that kind. */
const answeredWhile = (kind: FaultKind, { faults, calls }: Evidence): number => {
  const spans = faults.filter(fault => fault.kind === kind)
  return calls.filter(
    ({ status, outcome, endedAtMs }) =>
      status === 200 &&
      outcome === 'ok' &&
      spans.some(span => span.beganAtMs <= endedAtMs! && endedAtMs! <= (span.endedAtMs ?? 0)),
  ).length
}

export const isKill = (kind: string): boolean =>
  kind === 'kill' || kind === 'redis-kill' || kind === 'redis-failover'

const endsOfJobs = ({ ledger, jobs }: Evidence): string[][] => {
  const accepted = ledger.jobs.filter(({ id }) => id !== null)
  return [
    ['  single jobs accepted', String(accepted.length)],
    ...countBy(accepted.map(({ id }) => `  ${jobs.get(id!)?.status ?? 'lost'}`)),
    ['  of them streamed', String(accepted.filter(({ stream }) => stream !== null).length)],
    ['    broken off', String(accepted.filter(({ stream }) => stream?.includes('"stream_broken"')).length)],
    ['  refused at the door', String(ledger.jobs.length - accepted.length)],
  ]
}

const endsOfLines = (batches: readonly BatchView[]): string[][] => {
  const sum = (count: (batch: BatchView) => number): string =>
    String(batches.reduce((total, batch) => total + count(batch), 0))
  return [
    ['  batches', String(batches.length)],
    ...countBy(batches.map(({ status }) => `  ${status}`)),
    ['  lines', sum(({ request_counts }) => request_counts.total)],
    ['    completed', sum(({ request_counts }) => request_counts.completed)],
    ['    failed', sum(({ request_counts }) => request_counts.failed)],
  ]
}
