import type { TerminalStatus } from '../domain/job.ts'

/** What an event needs of a finished job; the rest of the view travels along as it is. */
export interface FinishedJobView {
  readonly id: string
  readonly status: TerminalStatus
  /** Unix seconds. */
  readonly finished_at: number
}

export interface WebhookEvent {
  /** Also the `webhook-id`. Derived from the job, so however often it is announced, receivers can tell. */
  readonly id: string
  readonly type: `job.${TerminalStatus}`
  /** The request body, to be sent and signed as it is. */
  readonly json: string
}

/** Standard Webhooks: "less than 20 kB"; many receivers and proxies refuse more. */
const maxEventBytes = 20_000

const isoSeconds = (unixSeconds: number): string =>
  new Date(unixSeconds * 1_000).toISOString().replace(/\.\d+Z$/, 'Z')

/**
 * The one event of a job's end. `view` is the job as `GET` shows it and becomes `data`; where the whole would
 * pass 20 kB, `data` is thin (`id`, `object`, `status`) and the receiver fetches the job. The same view always
 * gives the same bytes.
 */
export const jobEvent = (view: FinishedJobView): WebhookEvent => {
  const id = `evt_${view.id.replace(/^job_/, '')}`
  const type = `job.${view.status}` as const
  const createdAt = Math.floor(view.finished_at)
  const envelope = (data: object): string =>
    JSON.stringify({
      type,
      id,
      object: 'event',
      created_at: createdAt,
      timestamp: isoSeconds(createdAt),
      data,
    })

  const full = envelope(view)
  if (Buffer.byteLength(full) <= maxEventBytes) return { id, type, json: full }
  return { id, type, json: envelope({ id: view.id, object: 'job', status: view.status }) }
}
