import type { FaultKind } from './behaviour.ts'

export type Outcome = FaultKind | 'ok'

export interface SimStats {
  /** Calls whose fate was decided, whatever it was. */
  readonly calls: number
  readonly outcomes: Readonly<Partial<Record<Outcome, number>>>
  /** Calls for each identity (see `identityOf`): more than 1 is a call that was repeated. */
  readonly identities: Readonly<Record<string, number>>
  readonly inFlight: number
  readonly maxInFlight: number
}

export interface CallStats {
  began(): void
  ended(): void
  decided(outcome: Outcome, identity: string | null): void
  snapshot(): SimStats
  /** Forgets what was counted; calls still running stay in flight. */
  reset(): void
}

export function createCallStats(): CallStats {
  const outcomes = new Map<Outcome, number>()
  const identities = new Map<string, number>()
  let calls = 0
  let inFlight = 0
  let maxInFlight = 0

  return {
    began() {
      inFlight++
      if (inFlight > maxInFlight) maxInFlight = inFlight
    },
    ended() {
      inFlight--
    },
    decided(outcome, identity) {
      calls++
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
      if (identity !== null) identities.set(identity, (identities.get(identity) ?? 0) + 1)
    },
    snapshot: () => ({
      calls,
      outcomes: Object.fromEntries(outcomes),
      identities: Object.fromEntries(identities),
      inFlight,
      maxInFlight,
    }),
    reset() {
      calls = 0
      outcomes.clear()
      identities.clear()
      maxInFlight = inFlight
    },
  }
}
