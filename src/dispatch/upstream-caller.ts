import type { Logger } from 'pino'
import type { Adjustment } from '../domain/carriage.ts'
import type { RouteTarget } from '../domain/chain.ts'
import { classify } from '../domain/classify.ts'
import { flexOf, isFlexFull } from '../domain/flex-tier.ts'
import type { CallSignal } from '../domain/interrupt.ts'
import type { Attempt, Usage } from '../domain/job.ts'
import { type Home, statesMade } from '../domain/kept-state.ts'
import type { Redact } from '../domain/redact.ts'
import { toldBy } from '../domain/told-error.ts'
import { toldLimits } from '../domain/told-limits.ts'
import type { UpstreamOutcome } from '../domain/upstream.ts'
import { requestIdOf } from '../domain/upstream-request-id.ts'
import { costOf, usageOf } from '../domain/usage.ts'
import type { Verdict, VerdictKind } from '../domain/verdict.ts'
import type { CooldownState, Cooldowns, Grounds, Scope } from '../health/cooldowns.ts'
import type { ApiKey, KeyRing } from '../health/key-ring.ts'
import type { HealthOutcome } from '../health/local-breaker.ts'
import type { CallJudgement, TargetGate } from '../health/target-gate.ts'
import type { Claim } from '../jobs/store.ts'
import type { Provider } from '../providers/provider.ts'
import type { Admission } from '../rate-limits/admission.ts'
import type { LimitsOutcome } from '../rate-limits/permits.ts'
import type { AbortReason } from './calls-in-flight.ts'

export type CallResult =
  /** No call was made: the provider's health, or the lack of a usable key, kept it shut. */
  | { readonly kind: 'shut'; readonly untilMs: number }
  /** Ended while it waited for room, without a call. */
  | { readonly kind: 'left'; readonly reason: AbortReason | 'superseded' }
  | { readonly kind: 'interrupted'; readonly attempt: Attempt; readonly reason: AbortReason }
  | {
      readonly kind: 'judged'
      readonly attempt: Attempt
      readonly verdict: Verdict
      /** Whether the provider judged the request as the client wrote it. */
      readonly native: boolean
      readonly response: { readonly statusCode: number; readonly body: string } | null
      readonly usage: Usage | null
      /** What the account that answered keeps from now on, and the fingerprint of its key. */
      readonly made: { readonly ids: readonly string[]; readonly key: string | null }
    }

export interface CallTerms {
  /** How long to wait for room within the limits of the keys. */
  readonly patienceMs: number
  /** What the target is asked otherwise than the client wrote it. */
  readonly adjustments: readonly Adjustment[]
  /** The account that has to be asked; null for any of the provider's. */
  readonly home: Home | null
  /** Asked right before the call: a wait may outlast the lease on the job. */
  readonly isOurs: () => boolean
}

export interface UpstreamCaller {
  call(claim: Claim, target: RouteTarget, terms: CallTerms, signal: CallSignal): Promise<CallResult>
}

export interface UpstreamCallerDeps {
  readonly provider: Provider
  readonly gate: TargetGate
  readonly keys: KeyRing
  readonly admission: Admission
  readonly cooldowns: Cooldowns
  /** Told of every answer that was judged. */
  readonly noted: (target: RouteTarget, verdict: Verdict, durationMs: number) => void
  /** Cuts the secrets of the config out of what a provider says. */
  readonly redact: Redact
  readonly log: Logger
  readonly now: () => number
}

/** A 429 that does not say how long. */
const defaultCoolingMs = 10_000
/** A bad key, an empty account or a missing model: tried again this often, in case a person has mended it. */
export const stoppedMs = 5 * 60_000

interface Judged {
  readonly outcome: UpstreamOutcome
  readonly verdict: Verdict
  /** Only the tier that the request asks for is full. */
  readonly isFlexFull: boolean
}

/** Failures of the provider count; throttling, keys and callers' mistakes say nothing about its health. */
const guardOutcomeOf = ({ outcome, verdict, isFlexFull }: Judged): HealthOutcome => {
  if (outcome.kind === 'break' && outcome.reason === 'aborted') return 'ignored'
  const isFailure = verdict.kind === 'transient' || verdict.kind === 'overloaded'
  return isFailure && !isFlexFull ? 'failure' : 'success'
}

/** The connection, not what is behind it. */
const wayThere: ReadonlySet<string> = new Set(['dns', 'connect', 'tls', 'reset'])

const judge = (judged: Judged): CallJudgement => ({
  outcome: guardOutcomeOf(judged),
  reason: judged.verdict.reason,
  isUnreached: judged.outcome.kind === 'break' && wayThere.has(judged.outcome.reason),
})

const requestIdIn = (headers: Readonly<Record<string, string>>) => {
  const id = requestIdOf(headers)
  return id === null ? {} : { upstream_request_id: id }
}

/** What a call tells of the limits of its key. */
const limitsToldBy = (
  { outcome, verdict, isFlexFull }: Judged,
  usage: Usage | null,
  nowMs: number,
): LimitsOutcome => {
  const isThrottled = verdict.kind === 'rate_limited' && !isFlexFull
  // What was turned away used nothing; of a call that was cut off nobody knows.
  const used = usage ? usage.input_tokens + usage.output_tokens : verdict.possiblyBilled ? null : 0
  return {
    reported: outcome.kind === 'answer' ? toldLimits(outcome.headers, nowMs) : null,
    succeeded: verdict.kind === 'ok',
    // Who may call again at once is not asked to slow down.
    throttledForMs:
      isThrottled && verdict.retryAfterMs !== 0 ? (verdict.retryAfterMs ?? defaultCoolingMs) : null,
    tokens: verdict.kind === 'ok' && usage === null ? null : used,
    outputTokens: usage?.output_tokens ?? null,
  }
}

/** With these a 2xx is the model's own answer, and no error. */
const answerKinds: ReadonlySet<VerdictKind> = new Set(['ok', 'refused', 'malformed', 'untranslatable'])

/** A page of many megabytes tells no more of a failure, and looking through it for secrets would hold up everything else. */
const mostErrorChars = 1_000_000

/** The answer as it came; what some servers write into an error, such as the headers of the call, is nobody's to read. */
const responseOf = ({ outcome, verdict }: Judged, redact: Redact) => {
  if (outcome.kind !== 'answer') return null
  const { text } = outcome
  const statusCode = verdict.saidStatus ?? outcome.status
  const isError = statusCode >= 300 || !answerKinds.has(verdict.kind)
  return { statusCode, body: isError ? redact(text.slice(0, mostErrorChars)) : text }
}

/** One upstream call: key, gate, deadline, verdict, and what the verdict says about the provider. */
export const createUpstreamCaller = (parts: UpstreamCallerDeps): UpstreamCaller => {
  const { provider, gate, keys, admission, cooldowns, redact, log, now } = parts

  const request = async (
    claim: Claim,
    target: RouteTarget,
    adjustments: CallTerms['adjustments'],
    key: ApiKey | 'none',
    signal: CallSignal,
  ): Promise<Judged> => {
    const outcome = await provider.call({
      endpoint: claim.endpoint,
      body: claim.body,
      headers: claim.headers,
      model: target.model,
      maxOutputTokens: target.maxOutputTokens,
      adjust: adjustments.length > 0,
      apiKey: key === 'none' ? null : key.key,
      signal,
    })
    const { endpoint, body } = claim
    const verdict = classify(outcome, { endpoint, dialect: provider.dialect, nowMs: now() })
    return { outcome, verdict, isFlexFull: isFlexFull(verdict, body) }
  }

  /** Tells everyone what the verdict indicts: the model here, the key, or nothing. */
  const indict = (
    { verdict, isFlexFull }: Judged,
    target: RouteTarget,
    key: ApiKey | 'none',
    grounds: Grounds,
  ): void => {
    const onTarget = `target:${provider.name}/${target.model}` as const
    const onKey =
      key === 'none'
        ? (`provider:${provider.name}` as const)
        : (`key:${provider.name}#${key.fingerprint}` as const)
    const out = (scope: Scope, state: CooldownState, forMs: number): void =>
      cooldowns.suspend(scope, state, now() + forMs, verdict.reason, grounds)
    const cool = (forMs: number): void => {
      out(onTarget, 'cooling', forMs)
      gate.leaveAlone(target.model, now() + forMs, verdict.reason)
    }
    const { kind, retryAfterMs } = verdict
    if (isFlexFull) {
      out(`target:${provider.name}/${flexOf(target).model}`, 'cooling', retryAfterMs ?? defaultCoolingMs)
      return
    }
    if (kind === 'rate_limited') {
      // Another key has limits of its own; this one is left alone as long as the provider asks.
      if (!admission.hasOther(key, target.model)) cool(retryAfterMs ?? defaultCoolingMs)
    }
    if (kind === 'overloaded' && retryAfterMs !== null) cool(retryAfterMs)
    else if (kind === 'out_of_quota' || kind === 'bad_credentials')
      out(onKey, 'stopped', Math.max(stoppedMs, retryAfterMs ?? 0))
    else if (kind === 'unknown_model') out(onTarget, 'stopped', stoppedMs)
  }

  return {
    call: async (claim, target, { patienceMs, adjustments, home, isOurs }, signal) => {
      const { endpoint, body } = claim
      const only = home === null ? undefined : keys.wanted(home)
      if (only !== undefined && keys.stoppedUntil(only) > 0)
        return { kind: 'shut', untilMs: keys.stoppedUntil(only) }
      const entry = await admission.enter({ endpoint, body, model: target.model, only }, patienceMs, signal)
      if (entry.kind === 'keyless') return { kind: 'shut', untilMs: keys.unavailableUntil() }
      if (entry.kind === 'full') return { kind: 'shut', untilMs: now() + entry.waitMs }
      if (entry.kind === 'interrupted')
        return { kind: 'left', reason: signal.aborted ? (signal.reason as AbortReason) : 'shutdown' }
      if (!isOurs()) {
        entry.cancel()
        return { kind: 'left', reason: 'superseded' }
      }
      const { key } = entry
      const startedAtMs = now()
      const startedAt = performance.now()
      const facts = { jobId: claim.id, provider: provider.name, model: target.model, hop: claim.hop }
      log.debug({ event: 'attempt.started', ...facts }, 'attempt started')

      const passage = await gate
        .run(target.model, () => request(claim, target, adjustments, key, signal), judge)
        .catch(error => {
          entry.cancel()
          throw error
        })
      if (passage.kind === 'shut') {
        entry.cancel()
        return passage
      }

      const { outcome, verdict } = passage.result
      const usage = outcome.kind === 'answer' && outcome.status < 300 ? usageOf(outcome.json) : null
      entry.ended(limitsToldBy(passage.result, usage, now()))
      const attempt = {
        hop: claim.hop,
        provider: provider.name,
        model: target.model,
        started_at: startedAtMs / 1_000,
        duration_ms: Math.round(performance.now() - startedAt),
        status_code: outcome.kind === 'answer' ? outcome.status : null,
        ...(adjustments.length > 0 && { adjusted: adjustments }),
        ...(outcome.kind === 'answer' && requestIdIn(outcome.headers)),
      }
      if (outcome.kind === 'break' && outcome.reason === 'aborted') {
        const reason = signal.reason as AbortReason
        log.info(
          { event: 'attempt.interrupted', ...facts, reason, durationMs: attempt.duration_ms },
          'attempt interrupted',
        )
        return {
          kind: 'interrupted',
          reason,
          attempt: { ...attempt, verdict: null, reason, possibly_billed: outcome.sent },
        }
      }

      const error = toldBy(outcome, verdict, redact)
      const { provider: name, model, status_code } = attempt
      indict(passage.result, target, key, {
        verdict: verdict.kind,
        ...(error && { error: { provider: name, model, status_code, ...error } }),
      })
      parts.noted(target, verdict, attempt.duration_ms)
      const done = {
        ...facts,
        durationMs: attempt.duration_ms,
        verdict: verdict.kind,
        reason: verdict.reason,
      }
      if (verdict.kind === 'ok') log.debug({ event: 'attempt.finished', ...done }, 'attempt finished')
      else log.info({ event: 'attempt.failed', ...done, statusCode: attempt.status_code }, 'attempt failed')

      const costUsd = costOf(usage, target.price)
      return {
        kind: 'judged',
        verdict,
        native: provider.serves(claim.endpoint) === 'native',
        attempt: {
          ...attempt,
          verdict: verdict.kind,
          reason: verdict.reason,
          ...(verdict.retryAfterMs === null ? {} : { retry_after_ms: verdict.retryAfterMs }),
          possibly_billed: verdict.possiblyBilled,
          ...(costUsd !== null && { cost_usd: costUsd }),
          ...(error !== null && { error }),
        },
        response: responseOf(passage.result, redact),
        usage,
        made: {
          ids: verdict.kind === 'ok' && outcome.kind === 'answer' ? statesMade(endpoint, outcome.json) : [],
          key: key === 'none' ? null : key.fingerprint,
        },
      }
    },
  }
}
