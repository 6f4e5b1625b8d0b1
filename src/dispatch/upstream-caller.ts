import type { Span } from '@opentelemetry/api'
import type { Logger } from 'pino'
import { providerErrorOf } from '../domain/classify/provider-error.ts'
import type { Verdict } from '../domain/classify/verdict.ts'
import type { CallSignal } from '../domain/interrupt.ts'
import type { Attempt, Usage } from '../domain/job.ts'
import { measuredOf, stateOf } from '../domain/kept-target.ts'
import type { Permit } from '../domain/permit.ts'
import type { Redact } from '../domain/redact.ts'
import type { Adjustment } from '../domain/routing/adjustments.ts'
import type { RouteTarget } from '../domain/routing/chain.ts'
import { type Home, statesMade } from '../domain/routing/kept-state.ts'
import type { StreamSink } from '../domain/streaming/stream-sink.ts'
import { costOf, savedByCacheOf } from '../domain/usage.ts'
import type { AnsweredModels } from '../health/answered-models.ts'
import type { Cooldowns } from '../health/cooldowns.ts'
import type { ApiKey, KeyRing } from '../health/key-ring.ts'
import { ignored } from '../health/probe-lease.ts'
import type { TargetGate } from '../health/target-gate.ts'
import type { Claim } from '../jobs/types.ts'
import type { Provider, UpstreamRequest } from '../providers/provider.ts'
import type { Admission } from '../rate-limits/admission.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { type AttemptFacts, answeredIn, timesOf } from './attempt-facts.ts'
import type { AbortReason } from './calls-in-flight.ts'
import { withGivenId } from './given-id.ts'
import { type Judgement, judge, responseOf } from './judgement.ts'
import { inAttemptSpan, noteJudgement } from './spans.ts'
import { createSuspend } from './suspend.ts'
import type { TargetStats } from './target-stats.ts'

export type CallResult =
  /** No call was made: the provider's health, or the lack of a usable key, kept it shut. */
  | { readonly kind: 'shut'; readonly untilMs: number }
  /** Interrupted without a call, while it waited for admission. */
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
  /** How long to wait for admission. */
  readonly patienceMs: number
  /** What the target is asked otherwise than the client wrote it. */
  readonly adjustments: readonly Adjustment[]
  /** The account that has to be asked; null for any of the provider's. */
  readonly home: Home | null
  /** Where the answer is streamed to; null where nobody asked for that. */
  readonly stream: StreamSink | null
  /** Asked right before the call: a wait may outlast the lease on the job. */
  readonly isOurs: () => boolean
}

export interface UpstreamCaller {
  call(claim: Claim, target: RouteTarget, terms: CallTerms, signal: CallSignal): Promise<CallResult>
}

export interface UpstreamCallerDeps {
  readonly provider: Provider
  /** Its type, as the config has it. */
  readonly type: string
  readonly gate: TargetGate
  readonly keys: KeyRing
  readonly admission: Admission
  readonly cooldowns: Cooldowns
  readonly stats: Pick<TargetStats, 'record'>
  readonly answered: Pick<AnsweredModels, 'note'>
  readonly telemetry: Pick<Telemetry, 'emit'>
  /** Cuts the secrets of the config out of what a provider says. */
  readonly redact: Redact
  readonly log: Logger
  readonly now: () => number
}

/** Settled with null where the call did not end: then it says nothing. */
interface CallPermit extends Permit<Judgement | null> {
  readonly kind: 'permit'
  readonly key: ApiKey | 'none'
}

/** Models that share one limiter do not answer for one another: what the provider says of one is not said of the rest. */
const limitsOf = ({ limits }: Judgement, { keptAs }: RouteTarget): Judgement['limits'] =>
  keptAs === undefined ? limits : { ...limits, reported: null, throttledForMs: null, overloaded: false }

interface Call {
  /** When it began to wait for room, in Unix ms. */
  readonly enteredAtMs: number
  readonly claim: Claim
  readonly target: RouteTarget
  readonly terms: CallTerms
  readonly signal: CallSignal
}

/** One upstream call in five steps: enter, call, judge, settle, report. */
export const createUpstreamCaller = (deps: UpstreamCallerDeps): UpstreamCaller => {
  const { provider, gate, keys, admission, stats, telemetry, redact, log, now } = deps
  const suspend = createSuspend({ ...deps, provider: provider.name })

  /** Through the limits of the keys, then through the gate of the provider's health. */
  const enter = async (call: Call): Promise<CallPermit | (CallResult & { kind: 'shut' | 'left' })> => {
    const { target, signal } = call
    const { endpoint, body } = call.claim
    const { patienceMs, home, isOurs } = call.terms
    const only = home === null ? undefined : keys.wanted(home)
    if (only !== undefined && keys.stoppedUntil(only) > 0)
      return { kind: 'shut', untilMs: keys.stoppedUntil(only) }
    const admitted = await admission.enter(
      { endpoint, body, model: stateOf(target).model, only },
      patienceMs,
      signal,
    )
    if (admitted.kind === 'keyless') return { kind: 'shut', untilMs: keys.unavailableUntil() }
    if (admitted.kind === 'full') return { kind: 'shut', untilMs: now() + admitted.waitMs }
    if (admitted.kind === 'interrupted')
      return { kind: 'left', reason: signal.aborted ? (signal.reason as AbortReason) : 'shutdown' }
    const passed = isOurs() ? await gate.enter(stateOf(target).model) : null
    if (passed?.kind !== 'permit') {
      await admitted.settle(null)
      return passed ?? { kind: 'left', reason: 'superseded' }
    }
    return {
      kind: 'permit',
      key: admitted.key,
      settle: async judgement => {
        await passed.settle(judgement?.health ?? { ...ignored, isUnreached: false })
        await admitted.settle(judgement && limitsOf(judgement, target))
      },
    }
  }

  const factsOf = ({ claim, target }: Call) => ({
    jobId: claim.id,
    provider: provider.name,
    model: target.model,
    hop: claim.hop,
  })

  const reportInterrupted = (call: Call, { outcome }: Judgement, attempt: AttemptFacts): CallResult => {
    const reason = call.signal.reason as AbortReason
    log.info(
      { event: 'attempt.interrupted', ...factsOf(call), reason, durationMs: attempt.duration_ms },
      'attempt interrupted',
    )
    const possiblyBilled = outcome.kind === 'break' && outcome.sent
    return {
      kind: 'interrupted',
      reason,
      attempt: { ...attempt, verdict: null, reason, possibly_billed: possiblyBilled },
    }
  }

  const reportJudged = (
    call: Call,
    judgement: Judgement,
    attempt: AttemptFacts,
    key: ApiKey | 'none',
  ): CallResult => {
    const { outcome, verdict, usage } = judgement
    const { claim, target } = call
    const error = providerErrorOf(outcome, verdict, redact)
    const { provider: name, model, status_code, duration_ms: durationMs } = attempt
    suspend(judgement, target, key, attempt.started_at * 1_000, {
      verdict: verdict.kind,
      ...(error && { error: { provider: name, model, status_code, ...error } }),
    })
    stats.record(target, verdict, durationMs, outcome.firstTokenMs ?? null)
    const done = { ...factsOf(call), durationMs, verdict: verdict.kind, reason: verdict.reason }
    if (verdict.kind === 'ok') log.debug({ event: 'attempt.finished', ...done }, 'attempt finished')
    else log.info({ event: 'attempt.failed', ...done, statusCode: status_code }, 'attempt failed')
    const costUsd = costOf(usage, target.price)
    const isGood = verdict.kind === 'ok' && outcome.kind === 'answer'
    return {
      kind: 'judged',
      verdict,
      native: provider.serves(claim.endpoint) === 'native',
      attempt: {
        ...attempt,
        verdict: verdict.kind,
        reason: verdict.reason,
        ...(verdict.retryAfterMs !== null && { retry_after_ms: verdict.retryAfterMs }),
        possibly_billed: verdict.possiblyBilled,
        ...(costUsd !== null && { cost_usd: costUsd }),
        ...(error !== null && { error }),
      },
      response: responseOf(judgement, redact),
      usage,
      made: {
        ids: isGood ? statesMade(claim.endpoint, outcome.json) : [],
        key: key === 'none' ? null : key.fingerprint,
      },
    }
  }

  const callWith = async (call: Call, permit: CallPermit, span: Span | null): Promise<CallResult> => {
    const { claim, target, terms } = call
    log.debug({ event: 'attempt.started', ...factsOf(call) }, 'attempt started')
    const started = { atMs: now(), at: performance.now() }
    let judgement: Judgement | null = null
    let durationMs = 0
    try {
      const outcome = await withGivenId(claim.home, requestOf(call, permit.key), provider.call)
      durationMs = Math.round(performance.now() - started.at)
      judgement = judge(outcome, claim, provider.dialect, now())
      noteJudgement(span, judgement)
    } finally {
      await permit.settle(judgement)
    }
    const { outcome } = judgement
    const attempt: AttemptFacts = {
      ...{ hop: claim.hop, provider: provider.name, model: target.model },
      ...timesOf(call.enteredAtMs, started.atMs, durationMs),
      ...(permit.key !== 'none' && { key: permit.key.fingerprint }),
      ...(terms.adjustments.length > 0 && { adjusted: terms.adjustments }),
      ...answeredIn(outcome),
    }
    const isInterrupted = outcome.kind === 'break' && outcome.reason === 'aborted'
    telemetry.emit({
      ...{ kind: 'attempt.ended', tenant: claim.tenant, ...measuredOf(target), durationMs },
      verdict: isInterrupted ? 'interrupted' : judgement.verdict.kind,
      firstTokenMs: outcome.firstTokenMs ?? null,
      usage: judgement.usage,
      costUsd: costOf(judgement.usage, target.price),
      savedUsd: savedByCacheOf(judgement.usage, target.price),
    })
    return isInterrupted
      ? reportInterrupted(call, judgement, attempt)
      : reportJudged(call, judgement, attempt, permit.key)
  }

  return {
    call: async (claim, target, terms, signal) => {
      const call: Call = { enteredAtMs: now(), claim, target, terms, signal }
      const permit = await enter(call)
      if (permit.kind !== 'permit') return permit
      const { id: jobId, endpoint, hop } = claim
      const attempted = { endpoint, jobId, hop, target, type: deps.type }
      return inAttemptSpan(attempted, span => callWith(call, permit, span))
    },
  }
}

const requestOf = ({ claim, target, terms, signal }: Call, key: ApiKey | 'none'): UpstreamRequest => ({
  endpoint: claim.endpoint,
  body: claim.body,
  headers: claim.headers,
  model: target.model,
  maxOutputTokens: target.maxOutputTokens,
  adjust: terms.adjustments.length > 0,
  apiKey: key === 'none' ? null : key.key,
  signal,
  ...(terms.stream && { stream: terms.stream }),
})
