import type { Attempt } from '../../domain/job.ts'
import type { Explanation } from '../../jobs/explain.ts'
import type { JobView } from '../../jobs/view.ts'

/** `at`: when it ended, in Unix seconds with milliseconds as the fraction. */
export interface WebhookTry {
  readonly at: number
  readonly took_ms: number
  readonly outcome: 'delivered' | 'pending' | 'dead'
  readonly reason: string
}

/** `GET /v1/jobs/:id?view=operator`: all but its content, for operators, of any tenant. */
export interface OperatorJobView extends Omit<JobView, 'response' | 'attempts' | 'webhook'> {
  readonly attempts: readonly Attempt[]
  /** The job's times in Unix ms. */
  readonly times_ms: {
    readonly created: number
    readonly started: number | null
    readonly finished: number | null
    readonly expires: number
    readonly resumes: number | null
  }
  readonly webhook:
    | (NonNullable<JobView['webhook']> & {
        /** How the last try went: the status that the receiver answered, or why there was none. */
        readonly last_reason: string | null
        /** Null where it is over, or its first try is due. */
        readonly next_at: number | null
        /** Since when a try is put off because the receiver fails for others, too, or has no free slot. */
        readonly held_since: number | null
        /** The latest tries, oldest first. */
        readonly log: readonly WebhookTry[]
      })
    | null
  readonly tenant: string
  readonly custom_id: string | null
  readonly line: number | null
  readonly explained: Explanation
  /** Earlier moves may have left the record, which keeps the latest 1,000 characters of them. */
  readonly moves_cut: boolean
}
