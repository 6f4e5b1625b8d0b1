import type { DeliveryOutcome } from './send.ts'

export interface BreakerTerms {
  /** So many deliveries, of different events, that fail one after the other open it. */
  readonly failures: number
  /** How long it is left alone then; twice as long each time that it fails again, up to the most. */
  readonly resetMs: number
  readonly maxResetMs: number
}

/**
 * What is known of one receiver. closed → open (others failed, or it asked for time) → probing, when that time is over: one
 * delivery shows how it is → closed or open.
 */
export interface ReceiverBreaker {
  /** Unix ms until which it is left alone; 0 when it may be sent to. */
  shutUntil(nowMs: number): number
  /** Whether the next delivery is to show how it is. */
  isProbing(nowMs: number): boolean
  /** How a delivery of an event went. Answers whether this has opened it. */
  learn(id: string, outcome: DeliveryOutcome, nowMs: number): boolean
  /** Takes over what another process has learned. */
  open(untilMs: number): void
}

/**
 * The longest pause for a receiver that asks for one; the delivery that it answered so waits for all that it
 * asked.
 */
const longestAskedMs = 300_000

/** Says of the receiver, not of the event, that it does not take anything now. */
const isDown = (outcome: DeliveryOutcome): boolean =>
  !outcome.delivered &&
  (['dns', 'connect', 'tls', 'reset', 'timeout'].includes(outcome.reason) ||
    (outcome.reason === 'status' && (outcome.status ?? 0) >= 500))

const askedMs = (outcome: DeliveryOutcome): number =>
  !outcome.delivered && (outcome.status === 429 || outcome.status === 503)
    ? Math.min(outcome.retryAfterMs ?? 0, longestAskedMs)
    : 0

export const createReceiverBreaker = (terms: BreakerTerms): ReceiverBreaker => {
  let failed = new Set<string>()
  let untilMs = 0
  let resetMs = terms.resetMs
  let isOpen = false

  const openUntil = (ms: number): void => {
    isOpen = true
    untilMs = Math.max(untilMs, ms)
  }

  return {
    shutUntil: nowMs => (untilMs > nowMs ? untilMs : 0),
    isProbing: nowMs => isOpen && untilMs <= nowMs,
    learn: (id, outcome, nowMs) => {
      if (outcome.delivered) {
        failed = new Set()
        isOpen = false
        untilMs = 0
        resetMs = terms.resetMs
        return false
      }
      const asked = askedMs(outcome)
      if (asked > 0) {
        const isNew = untilMs <= nowMs
        openUntil(nowMs + asked)
        return isNew
      }
      if (!isDown(outcome)) return false
      failed.add(id)
      const isOver = untilMs <= nowMs
      if (!isOver || (!isOpen && failed.size < terms.failures)) return false
      openUntil(nowMs + resetMs)
      resetMs = Math.min(resetMs * 2, terms.maxResetMs)
      return true
    },
    open: openUntil,
  }
}
