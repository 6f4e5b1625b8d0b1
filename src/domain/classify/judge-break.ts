import type { UpstreamDialect } from '../endpoint.ts'
import type { BreakReason, UpstreamBreak } from '../upstream.ts'
import { factsOfError, statusOfError } from './event-error.ts'
import { judgeFacts } from './judge-error.ts'
import type { Finding } from './verdict.ts'

/** How the connection of a stream may end too early: all one to those who read along. */
const lost: ReadonlySet<BreakReason> = new Set(['reset', 'protocol', 'cut_short'])

/**
 * Judges a call without a whole answer. An error that a stream told means what it means as an answer; that content came
 * before makes it no other failure.
 */
export function judgeBreak({ reason, error, partial }: UpstreamBreak, dialect: UpstreamDialect): Finding {
  const facts = factsOfError(error)
  if (facts !== null) {
    const saidStatus = statusOfError(error)
    return { ...judgeFacts(facts, saidStatus, dialect), saidStatus }
  }
  if (reason === 'credentials') return { kind: 'bad_credentials', reason: 'no_credentials' }
  const isBroken = reason === 'error_event' || (partial !== undefined && lost.has(reason))
  return { kind: 'transient', reason: isBroken ? 'stream_broken' : reason }
}
