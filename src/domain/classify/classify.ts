import type { Endpoint, UpstreamDialect } from '../endpoint.ts'
import type { UpstreamAnswer, UpstreamOutcome } from '../upstream.ts'
import type { ErrorFacts } from './error-facts.ts'
import { judgeAnswer } from './judge-answer.ts'
import { judgeBreak } from './judge-break.ts'
import { judgeError } from './judge-error.ts'
import {
  boundedWait,
  explicitRetryAfterMs,
  nowOfAnswer,
  regainAccessMs,
  retryAfterMs,
} from './retry-after.ts'
import { factsOfAnswer } from './vendor-facts.ts'
import type { Verdict, VerdictKind } from './verdict.ts'

export interface ClassifyContext {
  readonly endpoint: Endpoint
  readonly dialect: UpstreamDialect
  readonly nowMs: number
}

/**
 * What an upstream outcome meant. Pure, total, and the only place where it is decided: by transport break, then
 * provider code and message, then type, then status, then (for 2xx) the body's content.
 */
export function classify(outcome: UpstreamOutcome, context: ClassifyContext): Verdict {
  if (outcome.kind === 'break')
    return { ...judgeBreak(outcome, context.dialect), retryAfterMs: null, possiblyBilled: outcome.sent }
  return outcome.status >= 200 && outcome.status <= 299
    ? classifySuccess(outcome, context)
    : classifyError(outcome, context)
}

function classifySuccess(answer: UpstreamAnswer, { endpoint, dialect, nowMs }: ClassifyContext): Verdict {
  const finding = judgeAnswer(answer, endpoint, dialect)
  const answered = finding.kind === 'ok' || finding.kind === 'refused'
  return { ...finding, retryAfterMs: waitMs(finding.kind, answer, null, nowMs), possiblyBilled: !answered }
}

function classifyError(answer: UpstreamAnswer, { dialect, nowMs }: ClassifyContext): Verdict {
  const facts = factsOfAnswer(answer, dialect)
  const { kind, reason } = judgeError(answer, facts, dialect)
  return { kind, reason, retryAfterMs: waitMs(kind, answer, facts, nowMs), possiblyBilled: false }
}

/** Limits' reset headers come with every answer, so they count only where a limit was the trouble. */
function waitMs(
  kind: VerdictKind,
  { headers }: UpstreamAnswer,
  facts: ErrorFacts | null,
  nowMs: number,
): number | null {
  // Most answers ask for nothing.
  const theirNowMs = (): number => nowOfAnswer(headers, nowMs)
  const asked = (): number | null =>
    explicitRetryAfterMs(headers, theirNowMs()) ??
    (facts?.retryAfterMs === undefined ? null : boundedWait(facts.retryAfterMs))
  switch (kind) {
    case 'rate_limited':
      return asked() ?? retryAfterMs(headers, theirNowMs())
    case 'out_of_quota':
      return asked() ?? regainAccessMs(facts?.message ?? '', theirNowMs())
    case 'overloaded':
    case 'transient':
      return asked()
    default:
      return null
  }
}
