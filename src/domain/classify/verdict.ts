/** What an attempt meant. A closed set, decided by `classify` alone. */
export const verdictKinds = [
  'ok',
  'transient',
  'overloaded',
  'rate_limited',
  'out_of_quota',
  'bad_credentials',
  'unknown_model',
  'too_long',
  'refused',
  'rejected',
  'unsupported',
  'malformed',
  'untranslatable',
] as const

export type VerdictKind = (typeof verdictKinds)[number]

export interface Verdict {
  readonly kind: VerdictKind
  /**
   * A short stable code of why, fit for logs and metrics: the provider's own error code where it gave one
   * (`insufficient_quota`), else `http_503`, `connect`, `timeout`, `not_json`, `empty` … Never message text.
   */
  readonly reason: string
  /** Milliseconds the provider asked to be left alone, or null when it did not say. */
  readonly retryAfterMs: number | null
  /** True when the provider may charge for this call although its answer was lost. */
  readonly possiblyBilled: boolean
  /** The status that an error should have had which came as a 2xx. */
  readonly saidStatus?: number
}

/** Turns a table of verdicts with their codes round, for looking codes up. */
export const kindByName = (
  table: Partial<Record<VerdictKind, readonly string[]>>,
): ReadonlyMap<string, VerdictKind> =>
  new Map(
    Object.entries(table).flatMap(([kind, names]) => names.map(name => [name, kind as VerdictKind] as const)),
  )

/** The part of a verdict that an answer's content decides. */
export type Finding = Pick<Verdict, 'kind' | 'reason' | 'saidStatus'>
