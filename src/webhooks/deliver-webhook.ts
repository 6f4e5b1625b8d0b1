import type { Logger } from 'pino'
import type { WebhookTarget } from '../domain/job.ts'
import type { RecordFields } from '../jobs/record.ts'
import { attribute } from '../telemetry/span-names.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { failed, inSpan } from '../telemetry/tracing.ts'
import type { Deliveries, DeliveryResult } from './deliveries.ts'
import { eventIdOf, type WebhookEvent } from './event.ts'
import type { Entered, Receivers, Visit } from './receivers.ts'
import { nextDelayMs } from './retry-delay.ts'
import type { DeliveryFailure, DeliveryOutcome, WebhookSender } from './send.ts'

/** A job or batch that has ended and whose webhook is still to be delivered. */
export interface Announcement {
  readonly webhook: WebhookTarget
  readonly event: WebhookEvent
}

/** Where the doorbells of one kind lead: to jobs, or to batches. */
export interface DeliverySource {
  readonly deliveries: Deliveries
  /**
   * What the record of a taken delivery announces; null when there is nothing to announce. What it throws
   * counts as a failed attempt, or the doorbell would come back for ever.
   */
  announcement(id: string, fields: RecordFields): Announcement | null | Promise<Announcement | null>
  /** What log lines call the id. */
  readonly idName: 'jobId' | 'batchId'
}

export interface DeliveryDeps {
  readonly source: DeliverySource
  readonly sender: WebhookSender
  /** All sources share one, because they share the slots of one worker. */
  readonly receivers: Pick<Receivers, 'enter'>
  /** Signs for jobs that brought no secret of their own. */
  readonly defaultSecret: string | undefined
  readonly telemetry: Pick<Telemetry, 'emit'>
  readonly log: Logger
  readonly now: () => number
  readonly random: () => number
}

/**
 * Answers a webhook doorbell: one attempt at one delivery, and what follows from how it went. `taken` is called when the
 * delivery is leased to it.
 */
export type DeliverWebhook = (
  id: string,
  attempt: number,
  signal: AbortSignal,
  taken: () => void,
) => Promise<void>

const unavailable: DeliveryOutcome = {
  delivered: false,
  reason: 'unavailable',
  status: null,
  retryAfterMs: null,
}
/** Then the attempt counts as one that failed. */
const longestHoldMs = 300_000

const visitOf = (id: string, { webhook, tenant = 'default' }: RecordFields): Visit => {
  const { url = '' } = (webhook ? JSON.parse(webhook) : {}) as { url?: string }
  return { id, tenant, origin: URL.parse(url)?.origin ?? '' }
}

const attemptWithin = async (
  { leave }: Entered,
  attempt: () => Promise<DeliveryOutcome | null>,
): Promise<DeliveryOutcome | null> => {
  let outcome: DeliveryOutcome | null = null
  try {
    outcome = await attempt()
  } finally {
    leave(outcome)
  }
  return outcome
}

/** Failures that no later attempt would mend. */
const hopeless: ReadonlySet<DeliveryFailure> = new Set(['gone', 'forbidden_address', 'unsignable'])

export const createDeliverWebhook = (parts: DeliveryDeps): DeliverWebhook => {
  const { source, sender, telemetry, log, now } = parts

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

  /** Null when there is nothing to announce. Never throws. */
  const attemptAt = (id: string, attempt: number, fields: RecordFields, signal: AbortSignal) =>
    inSpan(
      'webhook',
      () => ({
        kind: 'client',
        sentBy: fields.trace ?? null,
        attributes: {
          [attribute.jobId]: id,
          [attribute.serverAddress]: URL.parse(visitOf(id, fields).origin)?.hostname ?? 'unknown',
          [attribute.webhookAttempt]: attempt + 1,
        },
      }),
      async span => {
        const outcome = await send(id, fields, signal)
        if (outcome === null || span === null) return outcome
        span.setAttribute(attribute.webhookOutcome, outcome.delivered ? 'delivered' : outcome.reason)
        if (outcome.status !== null) span.setAttribute(attribute.statusCode, outcome.status)
        if (!outcome.delivered) failed(span, outcome.reason)
        return outcome
      },
    )

  /** As `attemptAt`. */
  const send = async (
    id: string,
    fields: RecordFields,
    signal: AbortSignal,
  ): Promise<DeliveryOutcome | null> => {
    try {
      const announcement = await source.announcement(id, fields)
      if (announcement === null) return null
      const { webhook, event } = announcement
      const secret = webhook.secret ?? parts.defaultSecret
      return await sender.send({
        url: webhook.url,
        tenant: fields.tenant ?? 'default',
        id: event.id,
        body: event.json,
        secrets: secret ? [secret] : [],
        nowMs: now(),
        signal,
      })
    } catch (err) {
      log.error({ event: 'webhook.event_failed', [source.idName]: id, err }, 'event of a webhook not built')
      return { delivered: false, reason: 'unmade', status: null, retryAfterMs: null }
    }
  }

  /** One whose receiver fails for others, too, is held, but it must come to an end as one that failed by itself. */
  const isHeldTooLong = ({ held }: RecordFields): boolean =>
    held !== undefined && Number(held) + longestHoldMs <= now()

  return async (id, attempt, signal, taken) => {
    const fields = await source.deliveries.takeDelivery(id, attempt)
    if (fields === null) return
    taken()

    const visit = visitOf(id, fields)
    const admission = await parts.receivers.enter(visit)
    if (admission.kind === 'held' && !(admission.down && isHeldTooLong(fields))) {
      await source.deliveries.holdDelivery(id, attempt, admission.dueAtMs)
      return
    }
    const startedAt = performance.now()
    const outcome =
      admission.kind === 'held'
        ? unavailable
        : await attemptWithin(admission, () => attemptAt(id, attempt, fields, signal))
    if (outcome === null) return
    // A stop of this process says nothing about the receiver: the schedule rings again.
    if (!outcome.delivered && outcome.reason === 'aborted') return source.deliveries.reschedule(id, attempt)

    // Attempts from before the dead letter was last sent again do not count.
    const result = resultOf(outcome, attempt + 1 - Number(fields.deliveries_before ?? 0))
    const durationMs = Math.round(performance.now() - startedAt)
    const isRecorded = await source.deliveries.recordDelivery(id, attempt, result, durationMs)
    if (isRecorded)
      telemetry.emit({
        kind: 'webhook.attempt_ended',
        receiver: visit.origin,
        status: result.status === 'pending' ? 'failed' : result.status,
        durationMs,
      })
    const facts = {
      [source.idName]: id,
      webhookId: eventIdOf(id),
      attempt: attempt + 1,
      reason: result.reason,
      durationMs,
    }
    if (result.status === 'delivered')
      log.debug({ event: 'webhook.delivered', ...facts }, 'webhook delivered')
    else if (result.status === 'pending')
      log.info({ event: 'webhook.failed', ...facts }, 'webhook failed, will be tried again')
    else log.error({ event: 'webhook.given_up', ...facts }, 'webhook given up')
  }
}
