import type { Logger } from 'pino'
import { classify } from '../domain/classify/classify.ts'
import { providerErrorOf } from '../domain/classify/provider-error.ts'
import type { Endpoint } from '../domain/endpoint.ts'
import { Interrupt } from '../domain/interrupt.ts'
import type { Redact } from '../domain/redact.ts'
import type { UpstreamOutcome } from '../domain/upstream.ts'
import type { Cooldowns } from '../health/cooldowns.ts'
import type { CheckOutcome } from '../health/health-check.ts'
import type { KeyRing } from '../health/key-ring.ts'
import type { Provider } from '../providers/provider.ts'
import { stoppedMs } from './suspend.ts'

export interface ProviderCheckDeps {
  readonly provider: Provider
  readonly keys: KeyRing
  readonly cooldowns: Cooldowns
  /** Cuts the secrets of the config out of what a provider says. */
  readonly redact: Redact
  /** The model that is asked for a token; null to ask for the list of models. */
  readonly model: string | null
  readonly timeoutMs: number
  readonly log: Logger
  readonly now: () => number
}

/** Health checks time out after this. */
export const longestCheckMs = 10_000

const ignored: CheckOutcome = { outcome: 'ignored', reason: '', listed: false }
const alive: CheckOutcome = { outcome: 'success', reason: '', listed: false }

/** A server that has no list of models is there nevertheless; so is one that may not show it to this key. */
const listless = new Set([403, 404, 405, 501])

const isSuccess = (outcome: UpstreamOutcome): boolean =>
  outcome.kind === 'answer' && outcome.status >= 200 && outcome.status < 300

/** Checks whether a provider is up. Any answer that is not a failure of the provider shows that it is. */
export const createProviderCheck = (parts: ProviderCheckDeps) => {
  const { provider, keys, cooldowns, redact, model, timeoutMs, log, now } = parts
  const endpoint: Endpoint = '/v1/chat/completions'

  const request = async (apiKey: string | null, signal: Interrupt): Promise<UpstreamOutcome> => {
    const interrupt = new Interrupt()
    signal.onabort = () => interrupt.abort(signal.reason)
    if (signal.aborted) interrupt.abort(signal.reason)
    const timer = setTimeout(() => interrupt.abort('timeout'), timeoutMs)
    try {
      const outcome =
        model === null
          ? (await provider.check(apiKey, interrupt)).outcome
          : await provider.ping(model, apiKey, interrupt)
      const isLate = outcome.kind === 'break' && interrupt.reason === 'timeout'
      return isLate ? { ...outcome, reason: 'timeout' } : outcome
    } finally {
      clearTimeout(timer)
      signal.onabort = null
    }
  }

  const isAnswer = (outcome: UpstreamOutcome): boolean => {
    if (outcome.kind === 'break') return false
    if (model === null && listless.has(outcome.status)) return true
    // One token may be too few for any content: what counts is that it came.
    return isSuccess(outcome) && typeof outcome.json === 'object'
  }

  /** `lists`: whether the list of models ever came. */
  return async (signal: Interrupt, lists: boolean): Promise<CheckOutcome> => {
    const key = keys.next()
    if (key === null) return ignored
    const outcome = await request(key === 'none' ? null : key.key, signal)
    if (outcome.kind === 'break' && outcome.reason === 'aborted') return ignored
    if (isAnswer(outcome)) return { ...alive, listed: model === null && isSuccess(outcome) }
    // A server without a list of models may answer the request for it with any status. Held against it, that
    // would keep it out of use for ever.
    if (model === null && outcome.kind === 'answer' && outcome.status >= 500 && !lists) return alive
    const verdict = classify(outcome, { endpoint, dialect: provider.dialect, nowMs: now() })
    const { kind, reason } = verdict
    log.info(
      { event: 'health_check.failed', provider: provider.name, verdict: kind, reason },
      'health check failed',
    )
    if (kind === 'transient' || kind === 'overloaded') return { outcome: 'failure', reason, listed: false }
    if (key !== 'none' && (kind === 'bad_credentials' || kind === 'out_of_quota')) {
      const scope = `key:${provider.name}#${key.fingerprint}` as const
      const error = providerErrorOf(outcome, verdict, redact)
      const statusCode = outcome.kind === 'answer' ? outcome.status : null
      cooldowns.suspend(scope, 'stopped', now() + stoppedMs, reason, {
        verdict: kind,
        ...(error && {
          error: { provider: provider.name, model: model ?? '', status_code: statusCode, ...error },
        }),
      })
    }
    return alive
  }
}
