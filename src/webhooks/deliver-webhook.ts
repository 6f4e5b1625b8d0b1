import type { Logger } from 'pino'
import { isTerminal } from '../domain/job.ts'
import type { JobRecord } from '../store/job-record.ts'
import type { DeliveryResult, JobStore } from '../store/job-store.ts'
import { type FinishedJobView, jobEvent } from './event.ts'
import { nextDelayMs } from './schedule.ts'
import type { DeliveryFailure, DeliveryOutcome, WebhookSender } from './send.ts'

export interface DeliveryParts {
  readonly store: JobStore
  readonly sender: WebhookSender
  /** Signs for jobs that brought no secret of their own. */
  readonly defaultSecret: string | undefined
  readonly viewOf: (record: JobRecord) => FinishedJobView
  readonly log: Logger
  readonly now: () => number
  readonly random: () => number
}

/** Answers a webhook doorbell: one attempt at one delivery, and what follows from how it went. */
export type DeliverWebhook = (jobId: string, attempt: number, signal: AbortSignal) => Promise<void>

/** Failures that no later attempt would mend. */
const hopeless: ReadonlySet<DeliveryFailure> = new Set(['gone', 'forbidden_address', 'unsignable'])

export const createDeliverWebhook = (parts: DeliveryParts): DeliverWebhook => {
  const { store, sender, log, now } = parts

  const resultOf = (outcome: DeliveryOutcome, attemptsThisTime: number): DeliveryResult => {
    if (outcome.delivered) return { status: 'delivered', reason: String(outcome.status) }
    const reason = outcome.status === null ? outcome.reason : `${outcome.reason}_${outcome.status}`
    const delayMs = hopeless.has(outcome.reason)
      ? null
      : nextDelayMs(attemptsThisTime, { retryAfterMs: outcome.retryAfterMs, random: parts.random })
    return delayMs === null
      ? { status: 'dead', reason }
      : { status: 'pending', reason, nextAtMs: Math.round(now() + delayMs) }
  }

  return async (jobId, attempt, signal) => {
    const record = await store.read(jobId)
    const due =
      record &&
      isTerminal(record.status) &&
      record.delivery?.status === 'pending' &&
      record.delivery.attempts === attempt
    if (!due || !record.webhook) return

    const secret = record.webhook.secret ?? parts.defaultSecret
    const event = jobEvent(parts.viewOf(record))
    const startedAt = performance.now()
    const outcome = await sender.send({
      url: record.webhook.url,
      id: event.id,
      body: event.json,
      secrets: secret ? [secret] : [],
      nowMs: now(),
      signal,
    })
    // A stop of ours says nothing about the receiver: the agenda is asked to ring again.
    if (!outcome.delivered && outcome.reason === 'aborted') return store.owe(jobId, attempt)

    const result = resultOf(outcome, attempt + 1 - record.deliveriesBefore)
    await store.recordDelivery(jobId, attempt, result)
    const facts = {
      jobId,
      webhookId: event.id,
      attempt: attempt + 1,
      reason: result.reason,
      durationMs: Math.round(performance.now() - startedAt),
    }
    if (result.status === 'delivered') log.debug(facts, 'webhook delivered')
    else if (result.status === 'pending') log.info(facts, 'webhook failed, will be tried again')
    else log.error(facts, 'webhook given up')
  }
}
