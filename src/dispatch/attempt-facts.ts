import type { Attempt } from '../domain/job.ts'
import type { UpstreamOutcome } from '../domain/upstream.ts'
import { requestIdOf } from '../domain/upstream-request-id.ts'

/** What the log says of a call before it is judged. */
export type AttemptFacts = Omit<Attempt, 'verdict' | 'reason' | 'possibly_billed'> & {
  readonly duration_ms: number
}

/** A call that waited less for room counts as made at once. */
const shortestWaitMs = 10

/** `enteredAtMs`: when it began to wait for room, in Unix ms. */
export const timesOf = (enteredAtMs: number, startedAtMs: number, durationMs: number) => ({
  ...(startedAtMs - enteredAtMs >= shortestWaitMs && { claimed_at: enteredAtMs / 1_000 }),
  started_at: startedAtMs / 1_000,
  duration_ms: durationMs,
})

export const answeredIn = (outcome: UpstreamOutcome) => {
  const id = outcome.headers === undefined ? null : requestIdOf(outcome.headers)
  return {
    status_code: outcome.kind === 'answer' ? outcome.status : null,
    ...(outcome.firstTokenMs !== undefined && { first_token_ms: outcome.firstTokenMs }),
    ...(id !== null && { upstream_request_id: id }),
  }
}
