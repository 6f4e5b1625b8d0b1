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
