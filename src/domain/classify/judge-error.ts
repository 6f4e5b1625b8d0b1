import type { UpstreamDialect } from '../endpoint.ts'
import type { UpstreamAnswer } from '../upstream.ts'
import type { VerdictKind } from '../verdict.ts'
import { broadNames, decisiveNames, kindOfStatus } from './error-codes.ts'
import type { ErrorFacts } from './error-facts.ts'
import { judgeWording } from './error-messages.ts'
import type { Finding } from './finding.ts'
import { vendorCodes } from './vendor-codes.ts'

/** Judges an answer outside 2xx. `facts` is its error body, null when no API wrote one. */
export function judgeError(
  answer: UpstreamAnswer,
  facts: ErrorFacts | null,
  dialect: UpstreamDialect,
): Finding {
  const finding = facts === null ? judgeForeign(answer) : judgeFacts(facts, answer.status, dialect)
  return heedShouldRetry(finding, answer)
}

/** Decides by decisive code, then message, then type, then status. */
export function judgeFacts(facts: ErrorFacts, status: number, dialect: UpstreamDialect): Finding {
  const reason = facts.names[0] ?? `http_${status}`
  const { decisive, broad, statuses } = vendorCodes[dialect]
  const settled = kindIn([decisive, decisiveNames], facts.names)
  if (settled !== undefined) return { kind: settled, reason }
  const worded = judgeWording(facts.message, status, dialect)
  if (worded !== null) return worded
  const kind = kindIn([broad, broadNames], facts.names) ?? statuses.get(status) ?? kindOfStatus(status)
  return { kind, reason }
}

/** What the first name says that one of the tables knows. */
function kindIn(
  tables: readonly ReadonlyMap<string, VerdictKind>[],
  names: readonly string[],
): VerdictKind | undefined {
  return names.flatMap(name => tables.map(table => table.get(name))).find(kind => kind !== undefined)
}

/**
 * An answer that the API behind the address did not write: an edge, a WAF, a wrong path. The caller chose neither,
 * so most 4xx do not count against the request. Those that judge it (403 of a WAF, 413) do; those that are clear
 * without a body (401, 402, 429 …) mean what they say.
 */
function judgeForeign({ status, text }: UpstreamAnswer): Finding {
  const reason = `http_${status}`
  const kind = kindOfStatus(status)
  if (status === 404 || status === 405) return { kind: 'transient', reason }
  if (!/^\s*</.test(text)) return { kind, reason }
  if (status === 403) return { kind: 'rejected', reason }
  return { kind: kind === 'rejected' && status !== 413 ? 'transient' : kind, reason }
}

/**
 * `x-should-retry` settles retry against fail, and nothing else: a limit, a quota or a key stays what it is.
 * A 5xx that asks not to be retried is handed over at once (`overloaded`) rather than failed: it is still the
 * provider's fault, and another one may serve the job.
 */
function heedShouldRetry(finding: Finding, { headers, status }: UpstreamAnswer): Finding {
  const wish = headers['x-should-retry']
  if (wish === 'true' && finding.kind === 'rejected') return { ...finding, kind: 'transient' }
  if (wish === 'false' && finding.kind === 'transient') {
    return { ...finding, kind: status >= 400 && status <= 499 ? 'rejected' : 'overloaded' }
  }
  return finding
}
