import { type DeliveryStatus, isTerminal, type JobStatus } from '../domain/job.ts'

/** How the webhook of a job fares. Times are Unix ms. */
export interface Delivery {
  readonly status: DeliveryStatus
  readonly attempts: number
  /** How the last attempt went; null before the first. */
  readonly reason: string | null
  /** When it is tried next; null where it is over, and before the first attempt was put off. */
  readonly dueAtMs: number | null
  /** Since when an attempt is put off, uncounted, because its receiver fails for others or has no free slot. */
  readonly heldSinceMs: number | null
  /** The latest attempts, oldest first: the record keeps 1,000 characters of them. */
  readonly log: readonly DeliveryAttempt[]
}

export interface DeliveryAttempt {
  /** When it ended. */
  readonly atMs: number
  readonly tookMs: number
  readonly outcome: DeliveryStatus
  /** The status that the receiver answered, or why there was none. */
  readonly reason: string
}

export const untried: Delivery = {
  ...{ status: 'pending', attempts: 0, reason: null, dueAtMs: null, heldSinceMs: null, log: [] },
}

/** A line of the record: `<at ms> <took ms> <outcome> <reason>`. */
const parseAttempt = (line: string): DeliveryAttempt => {
  const [at, took, outcome, ...reason] = line.split(' ')
  return {
    ...{ atMs: Number(at), tookMs: Number(took), outcome: outcome as DeliveryStatus },
    reason: reason.join(' '),
  }
}

/** Null for a job without a webhook. */
export const deliveryOf = (status: JobStatus, fields: Readonly<Record<string, string>>): Delivery | null => {
  if (!fields.webhook) return null
  const { delivery, deliveries, delivery_reason, delivery_due, delivery_log, held } = fields
  const own = isTerminal(status) ? (delivery as DeliveryStatus) : 'pending'
  const time = (text: string | undefined): number | null =>
    own === 'pending' && text !== undefined ? Number(text) : null
  return {
    status: own,
    attempts: Number(deliveries ?? 0),
    reason: delivery_reason ?? null,
    dueAtMs: time(delivery_due),
    heldSinceMs: time(held),
    log: delivery_log ? delivery_log.split('\n').map(parseAttempt) : [],
  }
}
