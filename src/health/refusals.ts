/**
 * How long a target that turns a call away is left alone: as long as it asked, unless it showed that this is too short. A
 * 429 with `Retry-After: 0` is believed once. Where a call that began after it is turned away too, and none was answered, the
 * wait doubles with each such call: so a storm of jobs finds out by a few of them and not each by itself, and a target that takes
 * calls again is found to do so within `longestMs`.
 */
export interface Refusals {
  /** A call was turned away that began at `begunAtMs`; returns ms from now. `askedMs`: what the provider named. */
  turnedAway(target: string, begunAtMs: number, askedMs: number, nowMs: number): number
  /** It took a call: what it asks for is believed again. */
  answered(target: string): void
}

interface Refusal {
  /** Calls that had begun by then say nothing new. */
  readonly atMs: number
  /** How long it is left alone if it turns the next call away as well. */
  readonly nextMs: number
  readonly untilMs: number
}

/** Some round trips: a limit that is refilled steadily has something again. */
const shortestMs = 100
/** A return is noticed within this. A job would rather wait so long in its slot than leave: see `shouldWaitOut`. */
const longestMs = 2_000
/** Clients name the models behind a wildcard: of more, the oldest refusals are forgotten. */
const mostTargets = 1_000

export const createRefusals = (): Refusals => {
  const refusals = new Map<string, Refusal>()
  return {
    turnedAway: (target, begunAtMs, askedMs, nowMs) => {
      const known = refusals.get(target)
      if (known && begunAtMs <= known.atMs) return Math.max(askedMs, known.untilMs - nowMs)
      const learnedMs = known?.nextMs ?? 0
      const nextMs = known ? Math.min(2 * known.nextMs, longestMs) : shortestMs
      refusals.delete(target)
      refusals.set(target, { atMs: nowMs, nextMs, untilMs: nowMs + learnedMs })
      if (refusals.size > mostTargets) refusals.delete(refusals.keys().next().value!)
      return Math.max(askedMs, learnedMs)
    },
    answered: target => void refusals.delete(target),
  }
}
