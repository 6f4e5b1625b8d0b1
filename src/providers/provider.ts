import type { Endpoint, UpstreamDialect } from '../domain/endpoint.ts'
import type { CallSignal } from '../domain/interrupt.ts'
import type { UpstreamOutcome } from '../domain/upstream.ts'
import type { Check } from './check.ts'

export interface UpstreamRequest {
  readonly endpoint: Endpoint
  /** The client's request body: JSON text in the endpoint's format. */
  readonly body: string
  /** The upstream model; replaces the body's `model`. */
  readonly model: string
  /** The most the model may answer, by the config: sent where the request names no limit and the provider demands one. */
  readonly maxOutputTokens?: number | undefined
  /** The key for this call; null for providers that need none. */
  readonly apiKey: string | null
  /** Ends the call early: cancel, deadline, shutdown. The provider adds its own timeout. */
  readonly signal: CallSignal
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
   * Names the parameters of `body` (parsed JSON) that this provider cannot carry. A target with any is left out
   * of the job's chain before it is called; nothing is dropped in silence. Always empty for native endpoints.
   */
  cannotCarry(endpoint: Endpoint, body: unknown): readonly string[]
  call(request: UpstreamRequest): Promise<UpstreamOutcome>
  /**
   * Asks for what costs nothing and what only a good key gets: the list of models, or, where there is none, an answer of
   * a model that nobody has. Never throws.
   */
  check(apiKey: string | null, signal: CallSignal): Promise<Check>
  /** Asks a model for one token, in the provider's own format. Never throws. */
  ping(model: string, apiKey: string | null, signal: CallSignal): Promise<UpstreamOutcome>
  close(): Promise<void>
}
