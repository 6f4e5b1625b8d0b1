import type { EndedBatchStatus } from '../batches/record.ts'
import type { TerminalStatus } from '../domain/job.ts'
import { writeJson } from '../json/json-text.ts'

/** What an event needs of a finished job; the rest of the view travels along as it is. */
export interface FinishedJobView {
  readonly id: string
  readonly status: TerminalStatus
  /** Unix seconds. */
  readonly finished_at: number
}

/** What an event needs of a batch that has ended. */
export interface EndedBatch {
  readonly id: string
  readonly status: EndedBatchStatus
  readonly endedAtMs: number
  /** The batch as `GET` shows it, in the words of its own kind of client. */
  readonly view: object
}

export interface WebhookEvent {
  /** Also the `webhook-id`. Derived from the job or batch, so receivers recognise a repetition. */
  readonly id: string
  readonly type: `job.${TerminalStatus}` | `batch.${EndedBatchStatus}` | 'batch.blocked' | 'batch.at_risk'
  /** The request body, to be sent and signed as it is. */
  readonly json: string
}

/** Standard Webhooks: "less than 20 kB"; many receivers and proxies refuse more. */
const maxEventBytes = 20_000

const isoSeconds = (unixSeconds: number): string =>
  new Date(unixSeconds * 1_000).toISOString().replace(/\.\d+Z$/, 'Z')

/** The id of the one event of a job or a batch. */
export const eventIdOf = (id: string): string => `evt_${id.replace(/^\w+_/, '')}`

const eventOf = (
  id: string,
  type: WebhookEvent['type'],
  createdAt: number,
  data: object,
  thin: object,
): WebhookEvent => {
  const envelope = (inner: object): string =>
    writeJson({
      type,
      id,
      object: 'event',
      created_at: createdAt,
      timestamp: isoSeconds(createdAt),
      data: inner,
    })
  const full = envelope(data)
  return { id, type, json: Buffer.byteLength(full) <= maxEventBytes ? full : envelope(thin) }
}

/**
 * The one event of a job's end. `view` is the job as `GET` shows it and becomes `data`; where the whole would
 * pass 20 kB, `data` is thin (`id`, `object`, `status`) and the receiver fetches the job. The same view always
 * gives the same bytes.
 */
export const jobEvent = (view: FinishedJobView): WebhookEvent => {
  const { id, status } = view
  const thin = { id, object: 'job', status }
  return eventOf(eventIdOf(id), `job.${status}`, Math.floor(view.finished_at), view, thin)
}

/** The one event of a batch's end, made as a job's is. `data.object` is `batch` for both kinds of clients. */
export const batchEvent = ({ id, status, endedAtMs, view }: EndedBatch): WebhookEvent => {
  const thin = { id, object: 'batch', status }
  return eventOf(eventIdOf(id), `batch.${status}`, Math.floor(endedAtMs / 1_000), { ...thin, ...view }, thin)
}

/** What an event needs of a batch that cannot go on before a person acts, or will not be done in its window. */
export interface NotedBatch {
  readonly id: string
  /** The batch's id, and the number of the notice. */
  readonly noticeId: string
  readonly sinceMs: number
  readonly type: 'batch.blocked' | 'batch.at_risk'
  /** Why, as `GET` shows it: `{blocked}` or `{warning}`. */
  readonly why: object
  /** The batch as `GET` shows it; null when it is gone by now. */
  readonly view: object | null
}

/** The one event of each time that a batch is blocked, or at risk. */
export const noticeEvent = ({ id, noticeId, sinceMs, type, why, view }: NotedBatch): WebhookEvent => {
  const thin = { id, object: 'batch', ...why }
  const eventId = eventIdOf(noticeId)
  return eventOf(eventId, type, Math.floor(sinceMs / 1_000), { ...view, ...thin }, thin)
}
