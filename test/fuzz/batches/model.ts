import type { SkipReason } from '../../../src/batches/finished-line.ts'
import type { BatchStatus } from '../../../src/batches/record.ts'

export type Outcome = 'succeeded' | 'errored' | 'canceled' | 'expired'

/** Bytes that each line has in the input. */
export const lineBytes = 100

/** What must hold of a batch, told a second time: its lines, who drives it, and which of them are in its files. */
export interface ModelBatch {
  readonly total: number
  status: BatchStatus
  lease: { readonly token: string; readonly untilMs: number } | null
  fed: number
  /** Lines that became jobs, with their ends; null while they run. */
  readonly jobs: Map<number, Outcome | null>
  /** Lines whose end is known and that are in no file yet, in the order of their ends. */
  done: { readonly number: number; readonly outcome: Outcome; readonly isJob: boolean }[]
  readonly collected: Map<number, Outcome>
  lastCollection: string | null
}

export type Fenced = BatchStatus | 'lost' | 'changed'

const outcomes: Readonly<Record<SkipReason, Outcome>> = {
  rejected: 'errored',
  cancelled: 'canceled',
  expired: 'expired',
  cost_limit_reached: 'errored',
}

export const hasEnded = ({ status }: ModelBatch): boolean =>
  status === 'completed' || status === 'expired' || status === 'cancelled'

export const newModelBatch = (total: number): ModelBatch => ({
  total,
  status: 'in_progress',
  lease: null,
  fed: 0,
  jobs: new Map(),
  done: [],
  collected: new Map(),
  lastCollection: null,
})

export const take = (batch: ModelBatch, token: string, nowMs: number, untilMs: number): boolean => {
  const { lease } = batch
  if (hasEnded(batch)) return false
  if (lease && lease.token !== token && lease.untilMs > nowMs) return false
  batch.lease = { token, untilMs }
  return true
}

export const holds = (batch: ModelBatch, token: string): boolean => batch.lease?.token === token

export const feed = (
  batch: ModelBatch,
  token: string,
  from: number,
  lines: readonly (SkipReason | null)[],
): Fenced => {
  if (!holds(batch, token)) return 'lost'
  // The same again, after a lost reply.
  if (batch.fed === from + lines.length) return batch.status
  if (batch.fed !== from) return 'changed'
  for (const [i, reason] of lines.entries()) {
    const number = from + i + 1
    if (reason === null) batch.jobs.set(number, null)
    else batch.done.push({ number, outcome: outcomes[reason], isJob: false })
  }
  batch.fed += lines.length
  return batch.status
}

/** The first end counts. */
export const endJob = (batch: ModelBatch, number: number, outcome: Outcome): boolean => {
  if (batch.jobs.get(number) !== null) return false
  batch.jobs.set(number, outcome)
  batch.done.push({ number, outcome, isJob: true })
  return true
}

export const collect = (
  batch: ModelBatch,
  token: string,
  name: string,
  numbers: readonly number[],
): Fenced => {
  if (!holds(batch, token)) return 'lost'
  if (batch.lastCollection === name) return batch.status
  const oldest = batch.done.slice(0, numbers.length)
  if (oldest.length < numbers.length || oldest.some((line, i) => line.number !== numbers[i])) return 'changed'
  for (const { number, outcome } of oldest) {
    if (batch.collected.has(number)) throw new Error(`line ${number} is collected twice`)
    batch.collected.set(number, outcome)
    batch.jobs.delete(number)
  }
  batch.done = batch.done.slice(numbers.length)
  batch.lastCollection = name
  return batch.status
}

export const finalizing = (batch: ModelBatch, token: string): Fenced => {
  if (!holds(batch, token)) return 'lost'
  if (batch.status === 'in_progress') batch.status = 'finalizing'
  return batch.status
}

export const cancel = (batch: ModelBatch): BatchStatus => {
  const was = batch.status
  if (was === 'in_progress' || was === 'finalizing') batch.status = 'cancelling'
  return was
}

export const end = (batch: ModelBatch, token: string): Fenced => {
  if (!holds(batch, token)) return 'lost'
  if (batch.collected.size !== batch.total) return 'changed'
  const hasExpired = [...batch.collected.values()].includes('expired')
  batch.status = batch.status === 'cancelling' ? 'cancelled' : hasExpired ? 'expired' : 'completed'
  batch.lease = null
  batch.lastCollection = null
  return batch.status
}

export const countsOf = (ends: Iterable<Outcome>): Record<Outcome, number> => {
  const counts = { succeeded: 0, errored: 0, canceled: 0, expired: 0 }
  for (const outcome of ends) counts[outcome] += 1
  return counts
}
