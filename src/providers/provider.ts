import type { Endpoint, UpstreamDialect } from '../domain/endpoint.ts'
import type { CallSignal } from '../domain/interrupt.ts'
import type { RequestHeaders } from '../domain/request-headers.ts'
import type { Carriage } from '../domain/routing/adjustments.ts'
import type { StreamSink } from '../domain/streaming/stream-sink.ts'
import type { UpstreamOutcome } from '../domain/upstream.ts'

export interface UpstreamRequest {
  readonly endpoint: Endpoint
  /** The client's request body: JSON text in the endpoint's format. */
  readonly body: string
  /** Those of the client's request that go on with it; a vendor's own only to that vendor, and in its own format. */
  readonly headers?: RequestHeaders
  /** The upstream model; replaces the body's `model`. */
  readonly model: string
  /** The most the model may answer, by the config: sent where the request names no limit and the provider demands one. */
  readonly maxOutputTokens?: number | undefined
  /** Whether the `adjustments` of its carriage may be made; without that, a request that has some is not sent. */
  readonly adjust: boolean
  /** The key for this call; null for providers that need none. */
  readonly apiKey: string | null
  /** Ends the call early: cancel, deadline, shutdown. The provider adds its own timeout. */
  readonly signal: CallSignal
  /**
   * Where the answer goes while it comes: then the body is sent as one that asks for a stream, and the outcome is what the
   * events come to. Absent for calls that nobody reads along.
   */
  readonly stream?: StreamSink | undefined
}

/**
 * What a provider says of a key. `throttled`: the key is good, but called too often. `unreachable`: no answer, or only that
 * nothing can be answered now. `unclear`: an answer, but not to what was asked.
 */
export type KeyStatus = 'ok' | 'throttled' | 'refused' | 'out_of_quota' | 'unreachable' | 'unclear'

export interface Check {
  readonly status: KeyStatus
  readonly outcome: UpstreamOutcome
}

/**
 * One upstream, behind the smallest interface that serves: send this body, in this format, and say what came
 * back. Never throws: a call that breaks is an outcome. Judging the outcome is the business of `domain/classify.ts`.
 */
export interface Provider {
  readonly name: string
  /** The format of its error bodies and headers. */
  readonly dialect: UpstreamDialect
  /** `native`: the body passes through; `translated`: converted both ways; `none`: cannot serve this endpoint. */
  serves(endpoint: Endpoint): 'native' | 'translated' | 'none'
  /**
   * What of `body` (parsed JSON) this provider cannot carry to `model`, its own name of a model. A target with excluded
   * fields is left out of the job's chain before it is called; nothing is dropped in silence. Whole for native endpoints.
   */
  carriage(endpoint: Endpoint, model: string, body: unknown): Carriage
  call(request: UpstreamRequest): Promise<UpstreamOutcome>
  /** Asks how many tokens a request of messages has. Never throws. Absent where the API has no such thing. */
  countTokens?(
    request: Pick<UpstreamRequest, 'body' | 'headers' | 'model' | 'apiKey' | 'signal'>,
  ): Promise<UpstreamOutcome>
  /**
   * Asks for what costs nothing and what only a good key gets: the list of models, or, where there is none, an answer of
   * a model that nobody has. Never throws.
   */
  check(apiKey: string | null, signal: CallSignal): Promise<Check>
  /** The names of all its models; null where they did not come. Never throws. Absent where there is no list of what can be called. */
  listModels?(apiKey: string | null, signal: CallSignal): Promise<readonly string[] | null>
  /** Asks a model for one token, in the provider's own format. Never throws. */
  ping(model: string, apiKey: string | null, signal: CallSignal): Promise<UpstreamOutcome>
  /**
   * Gets the credentials that a call would show, and says where they come from. Absent where a key, or nothing, is shown. Never
   * throws.
   */
  prove?(signal: CallSignal): Promise<UpstreamOutcome | { readonly source: string }>
  close(): Promise<void>
}
