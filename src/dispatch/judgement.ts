import { classify } from '../domain/classify/classify.ts'
import type { Verdict, VerdictKind } from '../domain/classify/verdict.ts'
import type { UpstreamDialect } from '../domain/endpoint.ts'
import type { Usage } from '../domain/job.ts'
import { parseRateLimitHeaders } from '../domain/rate-limit-headers.ts'
import type { Redact } from '../domain/redact.ts'
import { isFlexFull } from '../domain/routing/flex-tier.ts'
import type { UpstreamOutcome } from '../domain/upstream.ts'
import { usageOf } from '../domain/usage.ts'
import type { HealthOutcome } from '../health/local-breaker.ts'
import type { CallJudgement } from '../health/target-gate.ts'
import type { Claim } from '../jobs/types.ts'
import type { LimitsOutcome } from '../rate-limits/permits.ts'

/**
 * What an upstream call brought, judged once: for the job, for the health of the provider, and for the limits
 * of its key.
 */
export interface Judgement {
  readonly outcome: UpstreamOutcome
  readonly verdict: Verdict
  /** Only the tier that the request asks for is full. */
  readonly isFlexFull: boolean
  readonly usage: Usage | null
  readonly health: CallJudgement
  readonly limits: LimitsOutcome
}

/** How long a 429 cools that does not say how long. */
export const defaultCoolingMs = 10_000

/** The connection, not what is behind it. */
const connectionReasons: ReadonlySet<string> = new Set(['dns', 'connect', 'tls', 'reset'])

type Facts = Omit<Judgement, 'health' | 'limits'>

/** Failures of the provider count; throttling, keys and callers' mistakes say nothing about its health. */
const healthOutcomeOf = ({ outcome, verdict, isFlexFull }: Facts): HealthOutcome => {
  if (outcome.kind === 'break' && outcome.reason === 'aborted') return 'ignored'
  const isFailure = verdict.kind === 'transient' || verdict.kind === 'overloaded'
  return isFailure && !isFlexFull ? 'failure' : 'success'
}

/** What sent a part of its answer was reached. */
const isUnreached = (outcome: UpstreamOutcome): boolean =>
  outcome.kind === 'break' && outcome.partial === undefined && connectionReasons.has(outcome.reason)

const healthOf = (facts: Facts): CallJudgement => ({
  outcome: healthOutcomeOf(facts),
  reason: facts.verdict.reason,
  isUnreached: isUnreached(facts.outcome),
})

const limitsOf = ({ outcome, verdict, isFlexFull, usage }: Facts, nowMs: number): LimitsOutcome => {
  const isThrottled = verdict.kind === 'rate_limited' && !isFlexFull
  // A request that was turned away used nothing; what a call used that was cut off is not known.
  const used = usage ? usage.input_tokens + usage.output_tokens : verdict.possiblyBilled ? null : 0
  return {
    reported: outcome.headers ? parseRateLimitHeaders(outcome.headers, nowMs) : null,
    succeeded: verdict.kind === 'ok',
    overloaded: verdict.kind === 'overloaded',
    // A caller that may call again at once is not asked to slow down.
    throttledForMs:
      isThrottled && verdict.retryAfterMs !== 0 ? (verdict.retryAfterMs ?? defaultCoolingMs) : null,
    tokens: verdict.kind === 'ok' && usage === null ? null : used,
    outputTokens: usage?.output_tokens ?? null,
  }
}

/** A stream that broke off tells what it used up to then, where its vendor counts at the beginning. */
const usageIn = (outcome: UpstreamOutcome): Usage | null => {
  if (outcome.kind === 'break') return usageOf(outcome.partial)
  return outcome.status < 300 ? usageOf(outcome.json) : null
}

export const judge = (
  outcome: UpstreamOutcome,
  { endpoint, body }: Pick<Claim, 'endpoint' | 'body'>,
  dialect: UpstreamDialect,
  nowMs: number,
): Judgement => {
  const verdict = classify(outcome, { endpoint, dialect, nowMs })
  const usage = usageIn(outcome)
  const facts = { outcome, verdict, isFlexFull: isFlexFull(verdict, body), usage }
  return { ...facts, health: healthOf(facts), limits: limitsOf(facts, nowMs) }
}

/** With these a 2xx is the model's own answer, and no error. */
const answerKinds: ReadonlySet<VerdictKind> = new Set(['ok', 'refused', 'malformed', 'untranslatable'])

/**
 * The rest of a page of many megabytes explains no failure better, and redacting it would block the event
 * loop.
 */
const mostErrorChars = 1_000_000

/**
 * The answer as it came; null where none did. Errors are redacted: some servers write the headers of the call
 * into them.
 */
export const responseOf = (
  { outcome, verdict }: Judgement,
  redact: Redact,
): { readonly statusCode: number; readonly body: string } | null => {
  if (outcome.kind !== 'answer') return null
  const { text } = outcome
  const statusCode = verdict.saidStatus ?? outcome.status
  const isError = statusCode >= 300 || !answerKinds.has(verdict.kind)
  return { statusCode, body: isError ? redact(text.slice(0, mostErrorChars)) : text }
}
