import { classify } from '../domain/classify/classify.ts'
import { isErrorTextOf } from '../domain/classify/error-shape.ts'
import { providerErrorOf } from '../domain/classify/provider-error.ts'
import { explicitRetryAfterMs } from '../domain/classify/retry-after.ts'
import { BatonError } from '../domain/errors.ts'
import type { CallSignal } from '../domain/interrupt.ts'
import type { LastError } from '../domain/job.ts'
import { blamesRequest } from '../domain/job-failure.ts'
import type { Redact } from '../domain/redact.ts'
import type { RequestHeaders } from '../domain/request-headers.ts'
import type { RouteTarget } from '../domain/routing/chain.ts'
import type { UpstreamOutcome } from '../domain/upstream.ts'
import type { KeyRing } from '../health/key-ring.ts'
import { isJsonObject } from '../json/json-object.ts'
import type { Providers, Routes } from './routes.ts'

export interface CountRequest {
  /** The client's name of the model. */
  readonly model: string
  /** The request in the format of Anthropic's messages, as JSON text. */
  readonly body: string
  readonly headers: RequestHeaders
}

export type Counted =
  /** The provider's own answer: the count, or why the request is at fault, or that it is asked too often. */
  | {
      readonly kind: 'answer'
      readonly statusCode: number
      readonly body: string
      readonly retryAfterMs: number | null
      readonly provider: string
    }
  /** It has not counted. `last`: what it said; null where no key is in use. */
  | { readonly kind: 'uncounted'; readonly last: LastError | null; readonly provider: string }

/**
 * Asks a provider how many tokens a request has. No job is made: a count costs nothing, and is worth nothing later. Vendors limit it apart
 * from their messages, so it takes no room within the limits of messages; what it meets says nothing of them either.
 * Throws BatonError `unknown_model`, and `count_tokens_unsupported` where no target of the route can count.
 */
export type CountTokens = (request: CountRequest, signal: CallSignal) => Promise<Counted>

export interface CountTokensDeps {
  readonly routes: Routes
  readonly providers: Providers
  readonly keyRings: ReadonlyMap<string, Pick<KeyRing, 'next'>>
  /** Unix ms from which a target may be called; 0 for now. */
  readonly availableAt: (target: RouteTarget) => number
  /** Cuts the secrets of the config out of what a provider says. */
  readonly redact: Redact
  readonly now: () => number
}

const isCount = (outcome: UpstreamOutcome): boolean =>
  outcome.kind === 'answer' &&
  outcome.status < 300 &&
  isJsonObject(outcome.json) &&
  typeof outcome.json.input_tokens === 'number'

/** Errors that the client itself can do something about. */
const isForClient = (status: number, text: string): boolean =>
  (blamesRequest(status) || status === 429) && isErrorTextOf('anthropic', text)

export const createCountTokens = ({
  routes,
  providers,
  keyRings,
  availableAt,
  redact,
  now,
}: CountTokensDeps): CountTokens => {
  const canCount = ({ provider }: RouteTarget): boolean => providers.get(provider)?.countTokens !== undefined

  /** The one that would be asked first where it can count: another's count is that of another model, and better than none. */
  const targetOf = (model: string): RouteTarget => {
    const targets = routes.get(model)?.targets
    if (targets === undefined) {
      throw new BatonError(
        'unknown_model',
        `The model '${model}' is not served here; GET /v1/models lists those that are.`,
        { param: 'model' },
      )
    }
    const counting = targets.filter(canCount)
    return counting.find(target => availableAt(target) <= now()) ?? counting[0] ?? targets[0]!
  }

  return async ({ model, body, headers }, signal) => {
    const target = targetOf(model)
    const provider = providers.get(target.provider)
    if (provider?.countTokens === undefined) {
      throw new BatonError(
        'count_tokens_unsupported',
        `No provider behind '${model}' can count the tokens of messages.`,
        { param: 'model' },
      )
    }
    const key = keyRings.get(target.provider)?.next() ?? null
    if (key === null) return { kind: 'uncounted', last: null, provider: target.provider }
    const apiKey = key === 'none' ? null : key.key
    const outcome = await provider.countTokens({ body, headers, model: target.model, apiKey, signal })
    if (outcome.kind === 'answer' && (isCount(outcome) || isForClient(outcome.status, outcome.text))) {
      const { status: statusCode, text } = outcome
      return {
        ...{ kind: 'answer', provider: target.provider, statusCode },
        body: statusCode < 300 ? text : redact(text),
        retryAfterMs: explicitRetryAfterMs(outcome.headers, now()),
      }
    }
    const verdict = classify(outcome, { endpoint: '/v1/messages', dialect: provider.dialect, nowMs: now() })
    const error = providerErrorOf(outcome, verdict, redact) ?? {
      code: verdict.reason,
      message: verdict.reason,
    }
    const status_code = outcome.kind === 'answer' ? outcome.status : null
    return {
      ...{ kind: 'uncounted', provider: target.provider },
      last: { provider: target.provider, model: target.model, status_code, ...error },
    }
  }
}
