import type { FailedLine } from '../../batches/read-failures.ts'
import type { JobView } from '../../jobs/view.ts'

/** `GET /v1/admin/batches?status&blocked&dialect&tenant&limit&cursor` and `/v1/admin/batches/:id`. */
export interface BatchRow {
  readonly id: string
  readonly dialect: 'openai' | 'anthropic'
  readonly tenant: string
  readonly status: string
  readonly blocked: {
    readonly reason: string
    readonly since: number
    readonly subject: string | null
  } | null
  /** Null until its input was read. */
  readonly total: number | null
  readonly succeeded: number
  readonly errored: number
  readonly canceled: number
  readonly expired: number
  readonly waiting: number | null
  readonly running: number | null
  readonly parked: number | null
  readonly created_at: number
  readonly ended_at: number | null
  readonly expires_at: number
  readonly estimated_completion_at: number | null
  readonly cost_usd: number | null
  readonly max_cost_usd: number | null
}

export interface OperatorBatchView extends BatchRow {
  readonly model: string | null
  readonly endpoint: string
  readonly retry_of: string | null
  readonly metadata: Readonly<Record<string, string>>
  /** Lines that each provider answered. */
  readonly providers: Readonly<Record<string, number>>
  readonly webhook: JobView['webhook']
  readonly faults: readonly {
    readonly line: number | null
    readonly code: string
    readonly message: string
  }[]
}

/**
 * `GET /v1/admin/batches/:id/failures?code&cursor&limit`: from the error file, or the results of a message batch, as far as it is
 * written. No message: that may quote the request.
 */
export interface BatchFailuresView {
  /** On the first page: what failed, by code, the most first, each with one of its lines. */
  readonly codes: readonly { readonly code: string; readonly count: number; readonly example: FailedLine }[]
  /** In the order in which they failed. */
  readonly data: readonly FailedLine[]
  readonly next_cursor: string | null
  /** Whether `codes` counts all: one request looks at 16 MiB. */
  readonly complete: boolean
}
