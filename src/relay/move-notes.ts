import type { JobMove, Target } from '../domain/job.ts'

/** What is written down of moves that no call explains. */
export interface MoveNotes {
  skipped(hop: number, target: Target): JobMove
  parked(hop: number, target: Target, untilMs: number): JobMove
}

/** `whyAway`: in a word, why a target is out of use; null when nothing is known against it. */
export const createMoveNotes = (whyAway: (target: Target) => string | null, now: () => number): MoveNotes => {
  const factsOf = (hop: number, target: Target) => ({
    at: now() / 1_000,
    hop,
    provider: target.provider,
    model: target.model,
    // What is left when its health is good: it failed this very job a moment ago.
    reason: whyAway(target) ?? 'backoff',
  })
  return {
    skipped: (hop, target) => ({ kind: 'skipped', ...factsOf(hop, target) }),
    parked: (hop, target, untilMs) => ({ kind: 'parked', ...factsOf(hop, target), until: untilMs / 1_000 }),
  }
}
