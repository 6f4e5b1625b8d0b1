import type { Attempt, JobMove, Target } from '../domain/job.ts'

/** What is written down of moves that no call explains. */
export interface MoveReasons {
  /** `attempts`: the job's calls so far. */
  skipped(hop: number, target: Target, attempts: readonly Attempt[]): JobMove
  parked(hop: number, target: Target, attempts: readonly Attempt[], untilMs: number): JobMove
  /** Left out of the chain of a job. `fields`: what of its request keeps the target out. */
  leftOut(target: Target, fields: readonly string[]): JobMove
}

/**
 * `whyAway`: why a target is out of use, as a code; null when nothing is known against it. `passedOver` is told of each job that
 * goes on without a call.
 */
export const createMoveReasons = (
  whyAway: (target: Target) => string | null,
  now: () => number,
  passedOver: (provider: string, reason: string) => void,
): MoveReasons => {
  // A healthy target was passed over because it failed this very job a moment ago, or because its limits are
  // used up.
  const whyElse = (target: Target, attempts: readonly Attempt[]): string =>
    attempts.some(a => a.provider === target.provider && a.model === target.model && a.verdict !== null)
      ? 'backoff'
      : 'busy'
  const factsOf = (hop: number, target: Target, attempts: readonly Attempt[]) => ({
    at: now() / 1_000,
    hop,
    provider: target.provider,
    model: target.model,
    reason: whyAway(target) ?? whyElse(target, attempts),
  })
  return {
    skipped: (hop, target, attempts) => {
      const facts = factsOf(hop, target, attempts)
      passedOver(facts.provider, facts.reason)
      return { kind: 'skipped', ...facts }
    },
    parked: (hop, target, attempts, untilMs) => ({
      kind: 'parked',
      ...factsOf(hop, target, attempts),
      until: untilMs / 1_000,
    }),
    leftOut: ({ provider, model }, fields) => ({
      ...{ kind: 'skipped', at: now() / 1_000, hop: 0, provider, model },
      ...{ reason: 'cannot_carry', fields },
    }),
  }
}
