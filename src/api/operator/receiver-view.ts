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
