import { hasEnded } from '../../src/batches/record.ts'
import type { BatchEntry } from '../load/ledger.ts'
import { answerTo, type LineOrder } from '../plan/load.ts'
import type { EndedBatch, Evidence, Violation } from './evidence.ts'
import { textOf } from './jobs.ts'

interface OutputLine {
  readonly custom_id: string
  readonly response: { readonly status_code: number; readonly body: unknown } | null
  readonly error: { readonly code: string } | null
  /** Which of the two files it is in. */
  readonly file: 'output' | 'errors'
}

/** Counts add up, and the two files have exactly one line for each line of the input. */
export const judgeBatches = ({ ledger, batches }: Evidence): Violation[] =>
  ledger.batches.flatMap(entry => {
    const about = (marker: string | null) => (what: string) => ({
      rule: 'batches',
      id: entry.id,
      marker: marker ?? entry.order.name,
      what,
    })
    const batch = entry.id === null ? undefined : batches.get(entry.id)
    if (entry.id === null) return [about(null)('was never accepted')]
    if (batch === undefined) return [about(null)('was accepted and is lost: the API knows it no more')]
    if (!hasEnded(batch.view.status)) return [about(null)(`has not ended: it is ${batch.view.status}`)]
    const written = [...linesIn(batch.output, 'output'), ...linesIn(batch.errors, 'errors')]
    return [
      ...[...endFaults(entry, batch), ...countFaults(entry, batch, written)].map(about(null)),
      ...lineFaults(entry, batch, written).map(({ marker, what }) => about(marker)(what)),
    ]
  })

const linesIn = (text: string, file: OutputLine['file']): OutputLine[] =>
  text
    .split('\n')
    .filter(line => line !== '')
    .map(line => ({ ...(JSON.parse(line) as OutputLine), file }))

const endFaults = ({ order, cancel }: BatchEntry, { view }: EndedBatch): string[] => {
  const wanted = cancel?.status === 200 ? ['cancelled'] : ['completed']
  const allowed = order.window === '1m' && cancel?.status !== 200 ? [...wanted, 'expired'] : wanted
  return allowed.includes(view.status) ? [] : [`ended as ${view.status}, not as ${allowed.join(' or ')}`]
}

const countFaults = (
  { order }: BatchEntry,
  { view }: EndedBatch,
  written: readonly OutputLine[],
): string[] => {
  const { total, completed, failed } = view.request_counts
  // One that was cancelled while it was being read does not know how many lines it has.
  const isUnread = view.status === 'cancelled' && total === 0
  if (isUnread) return written.length === 0 ? [] : [`has lines, and counts none`]
  const inOutput = written.filter(({ file }) => file === 'output').length
  const counted = `${completed} completed and ${failed} failed of ${total}`
  return [
    ...(total === order.lines.length ? [] : [`counts ${total} lines, and was given ${order.lines.length}`]),
    ...(completed + failed === total ? [] : [`its counts do not add up: ${counted}`]),
    ...(completed === inOutput && failed === written.length - inOutput
      ? []
      : [`counts ${counted}, and its files have ${inOutput} and ${written.length - inOutput} lines`]),
  ]
}

const lineFaults = (
  { order }: BatchEntry,
  { view }: EndedBatch,
  written: readonly OutputLine[],
): { marker: string; what: string }[] => {
  if (view.status === 'cancelled' && view.request_counts.total === 0) return []
  const byId = Map.groupBy(written, line => line.custom_id)
  const known = new Set(order.lines.map(({ marker }) => marker))
  const strangers = [...byId.keys()].filter(id => !known.has(id))
  return [
    ...strangers.map(marker => ({ marker, what: 'is in the output and was not in the input' })),
    ...order.lines.flatMap(line =>
      faultsOfLine(line, byId.get(line.marker) ?? [], view.status).map(what => ({
        marker: line.marker,
        what,
      })),
    ),
  ]
}

const faultsOfLine = (
  { marker, fate }: LineOrder,
  written: readonly OutputLine[],
  batchStatus: string,
): string[] => {
  const [line] = written
  if (line === undefined) return ['has no line in the output: it is lost']
  if (written.length > 1) return [`has ${written.length} lines in the output`]
  if (line.file === 'output') {
    if (fate === 'rejected' || fate === 'stuck') return [`has an answer, though its provider gave none`]
    const isAnswered = line.response?.status_code === 200 && textOf(line.response.body) === answerTo(marker)
    return isAnswered ? [] : ['has not the answer to its question']
  }
  const code = line.error?.code ?? `status ${line.response?.status_code}`
  const isCut =
    (batchStatus === 'cancelled' && code === 'batch_cancelled') ||
    (batchStatus === 'expired' && code === 'batch_expired')
  const isRejected = fate === 'rejected' && line.response?.status_code === 400
  return isCut || isRejected ? [] : [`failed in a batch that is ${batchStatus}: ${code}`]
}
