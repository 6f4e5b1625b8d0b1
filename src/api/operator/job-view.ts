import type { Attempt, JobStatus } from '../../domain/job.ts'
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

/** A row of `GET /v1/jobs?view=row`. */
export interface JobRow {
  readonly id: string
  readonly status: JobStatus
  readonly route: string
  /** Who answered; of a live job, who is asked next. */
  readonly target: string
  readonly tenant: string
  readonly batch_id: string | null
  readonly created_at: number
  readonly finished_at: number | null
  readonly attempts: number
  readonly error_code: string | null
  readonly cost_usd: number | null
}

/** `GET /v1/jobs/count` with the filters of the list. */
export interface JobCount {
  readonly count: number
  /** False where `count` is an estimate: its time was up, or a name may have been taken for another's. */
  readonly exact: boolean
}

/** `GET /v1/jobs/:id/content`, for operators where the config says `ui.show_content`. */
export interface JobContentView {
  readonly id: string
  /** Null where it is not kept: that of a job that succeeded. */
  readonly request: ContentText | null
  readonly response: (ContentText & { readonly status_code: number }) | null
}

export interface ContentText {
  /** Its first 65,536 characters, as they were sent. */
  readonly text: string
  /** Of the whole. */
  readonly bytes: number
}
