import type { Trouble } from '../../health/troubles.ts'
import type { BatchRow, OperatorBatchView } from './batch-view.ts'
import type { JobRow, OperatorJobView } from './job-view.ts'
import type { ReceiversView } from './receiver-view.ts'

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
