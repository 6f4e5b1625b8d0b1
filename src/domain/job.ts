import type { VerdictKind } from './classify/verdict.ts'
import type { Endpoint } from './endpoint.ts'
import type { RequestHeaders } from './request-headers.ts'
import type { Adjustment } from './routing/adjustments.ts'
import type { Home } from './routing/kept-state.ts'

export const jobStatuses = [
  'queued',
  'running',
  'parked',
  'succeeded',
  'failed',
  'cancelled',
  'expired',
] as const
export type JobStatus = (typeof jobStatuses)[number]

export const terminalStatuses = ['succeeded', 'failed', 'cancelled', 'expired'] as const
export type TerminalStatus = (typeof terminalStatuses)[number]

export const isTerminal = (status: JobStatus): status is TerminalStatus =>
  (terminalStatuses as readonly string[]).includes(status)

/** One provider and one upstream model. `provider` is the name in the config, not the type. */
export interface Target {
  readonly provider: string
  readonly model: string
}

/** Why a call ended without an answer that could be judged. Interruption is not failure. */
export type Interruption =
  | 'worker_lost'
  | 'worker_crashed'
  | 'superseded'
  | 'shutdown'
  | 'cancelled'
  | 'expired'

/** One upstream HTTP call, as recorded on the job and shown to clients. */
export interface Attempt {
  readonly hop: number
  readonly provider: string
  readonly model: string
  /**
   * When its worker had the job and began to wait for room at the provider, as `started_at`; absent where it was called at
   * once. For operators alone.
   */
  readonly claimed_at?: number
  /** The fingerprint of the key that it was made with; absent where the provider needs none. For operators alone. */
  readonly key?: string
  /** Unix seconds, with milliseconds as the fraction. */
  readonly started_at: number
  readonly duration_ms: number | null
  /** From its start to the first content; absent where the answer was not streamed from the provider, or had none. */
  readonly first_token_ms?: number
  readonly status_code: number | null
  /** Null when the call was interrupted and nothing could be judged. */
  readonly verdict: VerdictKind | null
  readonly reason: string
  readonly retry_after_ms?: number
  readonly possibly_billed: boolean
  /** A call of the route's mirror, made side by side with the job's own. */
  readonly mirror?: true
  /** Absent where the provider reported no usage, or the model has no known price. */
  readonly cost_usd?: number
  /** What it was asked otherwise than the client wrote it. Absent where nothing was. */
  readonly adjusted?: readonly Adjustment[]
  /** What the provider calls this request, as its support will ask. */
  readonly upstream_request_id?: string
  /** What the provider said of its failure. */
  readonly error?: ProviderError
}

/** A provider's own message on a failure: cut short, and without the secrets of the config. */
export interface ProviderError {
  /** The provider's own code, or the verdict's reason where it has none. */
  readonly code: string
  readonly message: string
}

/** Which target failed a job last, and how. */
export interface LastError extends Target, ProviderError {
  /** Null when no answer came. */
  readonly status_code: number | null
}

/** A move that no call explains: a target was passed over, or no target could serve. */
export interface JobMove {
  readonly kind: 'skipped' | 'parked'
  /** Unix seconds, with milliseconds as the fraction. */
  readonly at: number
  readonly hop: number
  /** The target that was passed over, or is waited for. */
  readonly provider: string
  readonly model: string
  /**
   * What kept it out of use: a state of its provider, `backoff` after failures of this very job, `busy` while
   * its limits are used up, or `cannot_carry` where the request asks for what the target cannot be given.
   */
  readonly reason: string
  /** The fields that a target cannot be given, with `cannot_carry`. */
  readonly fields?: readonly string[]
  /** When a parked job continues. */
  readonly until?: number
}

export interface Usage {
  readonly input_tokens: number
  readonly output_tokens: number
  /**
   * The part of the input that the provider read from its cache, and the part that it wrote there. Absent
   * for none.
   */
  readonly cache_read_tokens?: number
  readonly cache_write_tokens?: number
}

/** A job's failure as clients see it: a stable code and a sentence. */
export interface JobError {
  readonly code: JobErrorCode
  readonly message: string
  /** Why no answer came, where a provider said so. */
  readonly last_error?: LastError
  /** Unix seconds from which the same request may be served; only with `targets_throttled`. */
  readonly retry_at?: number
}

export interface WebhookTarget {
  readonly url: string
  readonly secret?: string
}

export type DeliveryStatus = 'pending' | 'delivered' | 'dead'

export type Priority = 'default' | 'low' | 'high'

/** `interactive` where an open connection waits for the job. */
export type JobClass = 'interactive' | 'default'

/** What a client asked for, fixed at submission. */
export interface JobSpec {
  readonly id: string
  readonly tenant: string
  readonly endpoint: Endpoint
  /** The route: the model name the client used. */
  readonly model: string
  /** The request body as JSON text. */
  readonly body: string
  /** The client's headers that are forwarded to the provider. */
  readonly headers?: RequestHeaders
  /** The account that keeps what the request depends on; absent where any will do. */
  readonly home?: Home
  readonly expiresAtMs: number
  readonly webhook: WebhookTarget | null
  readonly metadata: Readonly<Record<string, string>> | null
  readonly retryOf: string | null
  /** Absent for the default one. */
  readonly class?: JobClass
  /** Read at `/v1/responses`, as a response in the background: its request is kept as long as its answer. */
  readonly background?: true
}

/** Codes of a job's own `error`: why it ended without success. */
export const jobErrorCodes = {
  upstream_rejected:
    'The provider judged the request itself to be at fault; `last_error` has its words, `response` its answer where that came in the format of the request.',
  context_length_exceeded: 'The prompt is too long for every target of the route.',
  refused: 'The content was refused with an error, or by every target of a route that hands refusals over.',
  malformed_answer:
    'The model spoiled its answer, and so did the next one asked, if there was one; `response` has what came.',
  untranslatable_answer:
    'A provider answered what the format of the request cannot hold; `response` has it as it came.',
  attempts_exhausted: 'The budget of attempts (`jobs.max_attempts`) was used up.',
  stream_broken:
    'The answer broke off after a part of it had been streamed: by the provider, or with the process that ran the job.',
  worker_crashed: 'Whatever process ran the job ended of it, also when it ran nothing else.',
  no_usable_target: 'No target of the route can ever serve this request.',
  targets_throttled:
    'All targets throttle for longer than the connection may wait; `Retry-After` tells how long.',
  targets_unavailable:
    'No target can serve the request before the deadline of the connection that waits for it.',
  cancelled: 'A client cancelled the job.',
  expired: 'The completion window ended before an answer was there.',
} as const

export type JobErrorCode = keyof typeof jobErrorCodes

/**
 * What came with these is shown to the job's owner, and does not answer a waiting client: its status may say
 * 200.
 */
const spoiledCodes: ReadonlySet<JobErrorCode | undefined> = new Set([
  'malformed_answer',
  'untranslatable_answer',
])

/** Whether a job's response can be given as the answer to its request: its own, or a provider's error. */
export const isGivable = (error: JobError | null): boolean => !spoiledCodes.has(error?.code)

/** The HTTP status of a job's own failure, for clients that get no provider's answer. */
export const failureStatus: Readonly<Record<JobErrorCode, number>> = {
  upstream_rejected: 400,
  context_length_exceeded: 400,
  refused: 400,
  malformed_answer: 502,
  untranslatable_answer: 502,
  attempts_exhausted: 502,
  stream_broken: 502,
  worker_crashed: 502,
  no_usable_target: 502,
  targets_throttled: 429,
  targets_unavailable: 503,
  cancelled: 409,
  expired: 504,
}
