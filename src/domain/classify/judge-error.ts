import type { UpstreamDialect } from '../endpoint.ts'
import type { UpstreamAnswer } from '../upstream.ts'
import { broadNames, decisiveNames, kindOfStatus } from './error-codes.ts'
import type { ErrorFacts } from './error-facts.ts'
import { judgeWording } from './error-messages.ts'
import { vendorCodes } from './vendor-codes.ts'
import type { Finding, VerdictKind } from './verdict.ts'

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
  // A 429 is a limit, even when its type says otherwise.
  if (status === 429) return { kind: kindIn([broad], facts.names) ?? 'rate_limited', reason }
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

/** What an edge or a firewall says, also as plain text: Cloudflare, Akamai, Imperva, AWS. */
const firewall =
  /^\s*<|^error code: 1\d{3}\b|\baccess denied\b|\brequest (?:was |has been )?(?:blocked|rejected)\b|\breference ?#|\bincident id\b|\bcloudflare\b|\bfirewall\b/i

/**
 * Judges an error that the API itself did not write: an edge, a firewall, a router or a wrong path did. The
 * caller chose none of these, so it is never the request's fault, and another target may do better. Statuses
 * that are clear without a body (401, 402, 429 …) keep their meaning.
 */
function judgeForeign({ status, text }: UpstreamAnswer): Finding {
  const reason = `http_${status}`
  const kind = kindOfStatus(status)
  if (status === 404 || status === 405) return { kind: 'transient', reason }
  // The key is not to blame when a firewall objects to one prompt, nor the provider for the limit of a proxy.
  if (status === 413 || (status === 403 && firewall.test(text))) return { kind: 'unsupported', reason }
  if (kind !== 'rejected') return { kind, reason }
  if (/^\s*</.test(text)) return { kind: 'transient', reason }
  return { kind: text.trim() === '' ? 'unsupported' : kind, reason }
}

/**
 * `x-should-retry` settles retry against fail, and nothing else: a limit, a quota or a key stays what it is.
 * What asks not to be retried is handed over at once rather than failed (`overloaded` from 500, else
 * `unsupported`): it is still not the caller's fault, and another target may serve the job.
 */
function heedShouldRetry(finding: Finding, { headers, status }: UpstreamAnswer): Finding {
  const wish = headers['x-should-retry']
  if (wish === 'true' && finding.kind === 'rejected') return { ...finding, kind: 'transient' }
  if (wish === 'false' && finding.kind === 'transient') {
    return { ...finding, kind: status >= 400 && status <= 499 ? 'unsupported' : 'overloaded' }
  }
  return finding
}
