import { isDeepStrictEqual } from 'node:util'
import type { BatchView } from '../src/batches/view.ts'
import { answerText, type Deliveries, type Event, repetitionFaults, verifiedById } from './audit.ts'
import { answerTo, lineName } from './workload.ts'

export interface BatchEvidence {
  /** Lines of the input file. */
  readonly lines: number
  /** As it was seen last. */
  readonly batch: BatchView
  /** The text of its output file. */
  readonly output: string
}

interface OutputLine {
  readonly custom_id: string
  readonly response: { readonly status_code: number; readonly body: unknown } | null
}

/** What is wrong with the batch, a sentence each: exactly one output line for each line of its input, or else. */
export const auditBatch = (evidence: BatchEvidence, deliveries: Deliveries): string[] => [
  ...countFaults(evidence),
  ...lineFaults(evidence),
  ...eventFaults(evidence.batch, verifiedById(deliveries).get(evidence.batch.id) ?? []),
]

const countFaults = ({ lines, batch }: BatchEvidence): string[] => {
  const { status, request_counts, providers } = batch
  const wanted = { total: lines, completed: lines, failed: 0 }
  const answered = Object.values(providers).reduce((sum, count) => sum + count, 0)
  return [
    ...(status === 'completed' ? [] : [`the batch is ${status}`]),
    ...(isDeepStrictEqual(request_counts, wanted)
      ? []
      : [`the batch counts ${JSON.stringify(request_counts)} for ${lines} lines`]),
    ...(answered === lines ? [] : [`the providers are said to have answered ${answered} of ${lines} lines`]),
  ]
}

const lineFaults = ({ lines, output }: BatchEvidence): string[] => {
  const written = output
    .split('\n')
    .slice(0, -1)
    .map(text => JSON.parse(text) as OutputLine)
  const byId = Map.groupBy(written, line => line.custom_id)
  const names = Array.from({ length: lines }, (_, index) => lineName(index))
  const known = new Set(names)
  return [
    ...[...byId.keys()].filter(id => !known.has(id)).map(id => `'${id}' in the output is none of the input`),
    ...names.flatMap(name => faultsOfLine(name, byId.get(name) ?? [])),
  ]
}

const faultsOfLine = (name: string, written: readonly OutputLine[]): string[] => {
  if (written.length !== 1) return [`${name} has ${written.length} output lines`]
  const { response } = written[0]!
  const isAnswered = response?.status_code === 200 && answerText(response.body) === answerTo(name)
  return isAnswered ? [] : [`${name} has not the answer to its question`]
}

const eventFaults = (batch: BatchView, deliveries: Deliveries): string[] => {
  const faults = repetitionFaults(batch.id, deliveries)
  if (faults.length > 0) return faults
  const tellsTheEnd = deliveries.every(({ event }) => {
    const { type, data } = event as Event
    return type === `batch.${batch.status}` && isDeepStrictEqual(data?.request_counts, batch.request_counts)
  })
  return tellsTheEnd ? [] : ['the webhook of the batch tells of another end']
}
