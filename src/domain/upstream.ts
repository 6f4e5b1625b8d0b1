/** What came back from one upstream HTTP call, before anyone judged it. */
export type UpstreamOutcome = UpstreamAnswer | UpstreamBreak

export interface UpstreamAnswer {
  readonly kind: 'answer'
  readonly status: number
  /** Lower-case names; repeated headers joined with ", ". */
  readonly headers: Readonly<Record<string, string>>
  /**
   * The body as text. A 2xx answer is in the format of the job's endpoint (translated where the provider
   * speaks another one); any other answer is the provider's own, untouched.
   */
  readonly text: string
  /** `text` parsed, or undefined when it is not JSON. */
  readonly json: unknown
  /**
   * Why a 2xx cannot be read, although it came and was paid for; `text` is then empty. `undecodable`: its bytes are not in the
   * encoding that they came under. `too_large`: it passed the provider's `max_response_bytes`.
   */
  readonly unread?: 'undecodable' | 'too_large'
  /**
   * The provider's own word for how a translated answer ended, null for none: the format may have no such
   * word.
   */
  readonly finish?: string | null
  /** Why a 2xx was not put into the endpoint's format; `text` and `json` are then the provider's own. */
  readonly untold?: 'malformed' | 'untranslatable'
  /** Ms from the start of the call to the first content; absent where the answer was not streamed, or had none. */
  readonly firstTokenMs?: number
}

export type BreakReason =
  | 'dns' // the name did not resolve
  | 'connect' // refused, unreachable, connect timeout
  | 'tls'
  | 'reset' // the connection ended before a whole answer was read
  | 'timeout' // no whole answer within the provider's timeout
  | 'first_token_timeout' // a stream that brought no content in its time
  | 'idle_timeout' // a stream that fell silent after content
  | 'cut_short' // a stream that ended well, but before its answer did
  | 'error_event' // a stream that told an error after content; see `error`
  | 'protocol' // bytes that are not HTTP, or an answer that could not be translated
  | 'credentials' // there is nothing to show the provider who calls; `cause` says why, and nothing was sent
  | 'aborted' // we ended it: cancel, deadline or shutdown

/** A call without a whole answer. */
export interface UpstreamBreak {
  readonly kind: 'break'
  readonly reason: BreakReason
  /** True when the request may have reached the provider, so that it may be billed. */
  readonly sent: boolean
  readonly cause: unknown
  /** What a stream had brought by then, in the format of the job's endpoint; absent where it had no content. */
  readonly partial?: Readonly<Record<string, unknown>>
  /** Lower-case names, as of an answer; absent where none came. */
  readonly headers?: Readonly<Record<string, string>>
  /** The error that the stream told, as the provider would give it without streaming. */
  readonly error?: unknown
  /** As of an answer. */
  readonly firstTokenMs?: number
}
