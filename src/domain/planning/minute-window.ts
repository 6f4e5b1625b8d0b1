import type { Capacity } from './demand.ts'

const minuteMs = 60_000

interface Admission {
  readonly atMs: number
  readonly tokens: number
}

/** What an account takes within any minute, first come first served. */
export interface MinuteWindow {
  /** Unix ms from which a request of so many tokens is taken, behind all that were. */
  opensAt(nowMs: number, tokens: number): number
  take(atMs: number, tokens: number): void
  /** The most within any minute so far. */
  readonly peak: { readonly requests: number; readonly tokens: number }
}

export const createMinuteWindow = ({ rpm, tpm }: Capacity): MinuteWindow => {
  /** In the order of their times; those from `oldest` on are less than a minute before the latest. */
  const taken: Admission[] = []
  let oldest = 0
  let tokensWithin = 0
  const peak = { requests: 0, tokens: 0 }

  const dropBefore = (atMs: number): void => {
    while (oldest < taken.length && taken[oldest]!.atMs <= atMs - minuteMs) {
      tokensWithin -= taken[oldest]!.tokens
      oldest += 1
    }
  }

  return {
    opensAt: (nowMs, tokens) => {
      let atMs = Math.max(nowMs, taken.at(-1)?.atMs ?? 0)
      let [first, sum] = [oldest, tokensWithin]
      const isFull = (): boolean =>
        first < taken.length &&
        ((rpm !== null && taken.length - first >= rpm) || (tpm !== null && sum + tokens > tpm))
      const drop = (): void => {
        sum -= taken[first]!.tokens
        first += 1
      }
      while (first < taken.length && taken[first]!.atMs <= atMs - minuteMs) drop()
      // One that asks for more than a minute has is taken when nothing else is within.
      while (isFull()) {
        atMs = taken[first]!.atMs + minuteMs
        drop()
      }
      return atMs
    },
    take: (atMs, tokens) => {
      dropBefore(atMs)
      taken.push({ atMs, tokens })
      tokensWithin += tokens
      peak.requests = Math.max(peak.requests, taken.length - oldest)
      peak.tokens = Math.max(peak.tokens, tokensWithin)
    },
    peak,
  }
}
