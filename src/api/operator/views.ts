import type { FailedLine } from '../../batches/read-failures.ts'
import type { JobStatus } from '../../domain/job.ts'
import type { Trouble } from '../../health/troubles.ts'
import type { JobView } from '../../jobs/view.ts'
import type { OperatorJobView } from './job-view.ts'

/**
 * What the operator's page reads. Times are Unix seconds, amounts US dollars, rates per second; null is "not known",
 * which no view shows as 0.
 */

/** `GET /ui/session`: what this browser may do, and the choices of its filters. */
export interface SessionView {
  readonly role: 'operator'
  readonly key_name: string | null
  /** Whose jobs and batches this browser may change. */
  readonly tenant: string
  readonly expires_at: number | null
  /** The config has no keys: nobody signs in. */
  readonly keyless: boolean
  readonly may_act: boolean
  readonly may_read_content: boolean
  readonly version: string
  readonly time_zone: string
  readonly facets: {
    readonly routes: readonly string[]
    readonly providers: readonly string[]
    readonly error_codes: readonly string[]
    readonly metadata_keys: readonly string[]
    readonly tenants: readonly string[]
  }
}

export type { Trouble } from '../../health/troubles.ts'

/** What an operator did. */
export interface ActionView {
  readonly at: number
  /** The name of the key, or `local` without keys. */
  readonly by: string
  readonly action: string
  readonly subject: string
  readonly note: string | null
}

/** A batch, or a class of jobs, that will be late. */
export interface AtRisk {
  readonly subject: string
  /** Seconds between what is expected and the deadline; negative when it will be late. */
  readonly slack: number | null
  readonly cause: string
}

/** `GET /v1/admin/overview`. */
export interface OverviewView extends Tick {
  readonly troubles: readonly Trouble[]
  readonly actions: readonly ActionView[]
}

/** What the overview says beside troubles and actions: it changes all the time. */
export interface Tick extends Figures {
  readonly estimated_drain_at: number | null
  /** Since the day began in `ui.time_zone`; null where nothing of it has a price. */
  readonly cost_today_usd: number | null
  readonly unpriced_today: number
  /** The 20 that will be latest, those first. */
  readonly at_risk: readonly AtRisk[]
}

export interface Figures {
  readonly read_at: number
  readonly waiting: number
  readonly running: number
  readonly parked: number
  readonly oldest_waiting_at: number | null
  readonly accepted_per_s: number | null
  readonly ended_per_s: number | null
  readonly failed_per_s: number | null
  readonly handovers_per_s: number | null
  readonly providers: Readonly<Record<string, ProviderTick>>
}

export interface ProviderTick {
  readonly waiting: number
  readonly running: number
  readonly attempts_per_s: number | null
  readonly failures_per_s: number | null
  readonly p95_ms: number | null
}

/**
 * `GET /v1/admin/history?series=…&from=&to=`: a column for each series, a row a minute, of the last 25 hours. Series:
 * `accepted`, `ended`, `failed`, `handovers`, `waiting`, `cost_usd` (of that minute), and `provider:<name>:{attempts,failures,p95_ms,waiting,state}`.
 */
export interface HistoryView {
  /** Unix seconds of each row. */
  readonly at: readonly number[]
  /** Null where no process wrote that minute down. A `state` is the worst of its minute, as a word. */
  readonly series: Readonly<Record<string, readonly (number | string | null)[]>>
}

/**
 * `GET /v1/admin/events?topics=…`: server-sent events. Each opening begins with a `snapshot` of every topic, whole; what follows is
 * whatever differs from what this page was told last.
 */
export interface PageEvents {
  readonly hello: { readonly version: string; readonly server_time: number }
  readonly snapshot: {
    readonly overview?: OverviewView
    readonly providers?: readonly object[]
    /** All that have not ended, and some that have within the last minute. What a list has as open and is not here may have ended. */
    readonly batches?: readonly BatchRow[]
    /** Null: there is none of that id. */
    readonly batch?: OperatorBatchView | null
    readonly job?: OperatorJobView | null
    /** Those that are there, in no order. */
    readonly rows?: readonly JobRow[]
    readonly webhooks?: ReceiversView
  }
  readonly tick: Tick | { readonly read_at: number }
  readonly provider: object
  /** Rows that are new or have changed, also by their end; at most each two seconds. */
  readonly batches: readonly BatchRow[]
  /** The open one, at most each two seconds. */
  readonly batch: OperatorBatchView | null
  /** Those of the page's rows that have changed; at most each second. */
  readonly rows: readonly JobRow[]
  readonly job: OperatorJobView | null
  /** All of them, at most each five seconds. */
  readonly webhooks: ReceiversView
  readonly troubles: readonly Trouble[]
  readonly action: ActionView
}

/**
 * Topics, with commas between: `overview`, `providers`, `provider:<name>`, `batches`, `batch:<id>`, `job:<id>` (one of each), `webhooks`, and
 * `rows:<id>,<id>…` (at most 50). Every page gets `tick`, `troubles` and `action`.
 */
export type PageTopic = string

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

export type { ExplainedStep as ExplainedStepView } from '../../jobs/explain.ts'
export type { ExplainPart } from '../../jobs/explain-parts.ts'
export type { OperatorJobView, WebhookTry } from './job-view.ts'

/** `GET /v1/usage?from&to&group_by=route|provider|model|day&tz`, from hourly counters that the end of each job adds to. */
export interface UsageView {
  readonly from: number
  readonly to: number
  readonly time_zone: string
  /** Offsets of zones that are no whole hours are cut at whole hours of UTC. */
  readonly cut_at: 'zone' | 'utc_hour'
  readonly total: UsageFigures
  readonly data: readonly (UsageFigures & { readonly day: string; readonly group: string })[]
}

export interface UsageFigures {
  readonly requests: number
  readonly failed: number
  readonly input_tokens: number
  readonly cached_tokens: number
  readonly output_tokens: number
  readonly cost_usd: number | null
  /** Requests that have no price. */
  readonly unpriced: number
}

/** `GET /v1/admin/webhooks`. */
export interface ReceiversView {
  readonly object: 'list'
  /** Those that something was sent to of late, that it waits for, or for which it was given up; the most first. */
  readonly data: readonly ReceiverView[]
  /** False where more waits, or was given up, than one request looks at: then numbers are the least that there are. */
  readonly complete: boolean
  readonly read_at: number
}

/** A receiver of webhooks, by the origin of its URL. `delivered` and `failed` are attempts of the last hour, to five minutes. */
export interface ReceiverView {
  readonly receiver: string
  /** Deliveries that wait for their next attempt. */
  readonly waiting: number
  /** When the oldest of them could first have been made. */
  readonly oldest_at: number | null
  /** Since when the oldest waits whose first attempt has failed; null while none has. */
  readonly failing_since: number | null
  readonly next_at: number | null
  /** As a dead letter says it: `timeout`, `status_503` …; of what waits, else of the newest dead letter. */
  readonly last_reason: string | null
  readonly last_status: number | null
  readonly delivered: number
  readonly failed: number
  readonly dead: number
  readonly last_died_at: number | null
}

/** `POST /v1/dead-letters/redeliver`: one step. */
export interface ReplayView {
  readonly receiver: string
  /** Letters that this step has sent again. */
  readonly redelivered: number
  /** The `cursor` of the next step; null when there is none. */
  readonly next_cursor: string | null
}
