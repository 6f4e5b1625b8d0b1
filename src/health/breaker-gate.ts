import type { Circuit } from '../domain/circuit.ts'
import {
  isOutOfOrder,
  isProbeDue,
  lookAgainMs,
  placesBack,
  shutUntil,
  takesShare,
} from '../domain/circuit.ts'
import type { Permit } from '../domain/permit.ts'
import type { Circuits } from './circuits.ts'
import type { LeaveAlone } from './cooling.ts'
import type { LocalBreaker } from './local-breaker.ts'
import type { BegunCall, OverdueWatch } from './overdue-watch.ts'
import type { ProbeLease, ProbeOutcome } from './probe-lease.ts'
import type { Reporter } from './reporter.ts'

/**
 * Lets a process's calls to one provider through, as the cluster's health and the process's own breaker
 * allow.
 */
export interface BreakerGate {
  /** Unix ms from which a call may be made; 0 for now. */
  availableAt(): number
  /** Whether all calls but a few are kept out, as it is out of order. */
  readonly isRestricted: boolean
  /** Whether the only thing a call waits for is one of the few slots of a recovering provider. */
  readonly isRamping: boolean
  /** Calls that hang since before it was left. */
  readonly hanging: number
  /** Calls under way that began before its present state: some may never be answered. */
  readonly outlived: number
  /** Unix ms at which the last call ended that says anything about the provider's health; 0 before any. */
  readonly calledAtMs: number
  /** It throttled a call, and wants to be left alone until then. */
  readonly leaveAlone: LeaveAlone
  enter(): Promise<Entered<ProbeOutcome>>
  close(): void
}

/** A permit, or until when (Unix ms) no call is let through. */
export type Entered<Outcome> =
  | (Permit<Outcome> & { readonly kind: 'permit' })
  | { readonly kind: 'shut'; readonly untilMs: number }

export interface BreakerGateOptions {
  readonly provider: string
  /** Calls at once that this process may make now. */
  readonly places: () => number
  readonly circuits: Circuits
  readonly breaker: LocalBreaker
  readonly lease: ProbeLease
  readonly reporter: Pick<Reporter, 'record'>
  readonly leaveAlone: LeaveAlone
  /** Calls under way, oldest first. The gate maintains it. */
  readonly underWay: Set<BegunCall>
  /** Where it matters how long calls take; null for a provider whose models are looked at. */
  readonly watch: OverdueWatch | null
  /** Whether a healthy provider other than this one can take its jobs now. */
  readonly hasHealthyAlternative: () => boolean
  /** Whether a health check probes, and no job has to. */
  readonly isChecked: boolean
  readonly now: () => number
}

export const createBreakerGate = (options: BreakerGateOptions): BreakerGate => {
  const { provider, places, circuits, breaker, lease, reporter, leaveAlone, underWay, watch } = options
  const { isChecked, now } = options
  let calledAtMs = 0

  const follow = ({ state }: Circuit): void =>
    breaker.force(state === 'down' || state === 'slow' || state === 'probing' ? 'open' : 'closed')
  const forget = circuits.onChange(circuit => {
    if (circuit.provider === provider) follow(circuit)
  })
  follow(circuits.of(provider))

  /** Calls that hang since before it was left are of no concern to those that try it now. */
  const calling = ({ era }: Circuit): number => {
    let count = 0
    for (const call of underWay) if (call.era === era) count += 1
    return count
  }

  /**
   * One that was throttled works: where no other takes what it does not, all may call it, as its limits
   * allow.
   */
  const isFull = (circuit: Circuit): boolean =>
    takesShare(circuit) &&
    calling(circuit) >= placesBack(circuit.share, places()) &&
    !(circuit.cooled && !options.hasHealthyAlternative())

  const availableAt = (): number => {
    const nowMs = now()
    const circuit = circuits.of(provider)
    const shutMs = shutUntil(circuit, nowMs)
    if (shutMs > 0) return shutMs
    if (isProbeDue(circuit, nowMs)) return lease.busy || isChecked ? nowMs + lookAgainMs : 0
    return isFull(circuit) || breaker.state === 'open' ? nowMs + lookAgainMs : 0
  }

  /** A probe's outcome goes to the cluster with its lease; of all other calls sums are reported. */
  const enterBreaker = (begun: BegunCall): Permit<ProbeOutcome>['settle'] | undefined => {
    const permit = breaker.enter()
    return permit === null
      ? undefined
      : async ({ outcome, reason }) => {
          await permit.settle(outcome)
          if (outcome !== 'ignored') calledAtMs = now()
          if (outcome === 'success') watch?.answered()
          const durationMs = now() - begun.startedAtMs
          reporter.record({ ...begun, outcome, reason, ...(watch && { durationMs }) })
        }
  }

  return {
    availableAt,
    leaveAlone,
    get isRestricted() {
      return isOutOfOrder(circuits.of(provider))
    },
    get isRamping() {
      const circuit = circuits.of(provider)
      return circuit.pausedAtMs === 0 && isFull(circuit)
    },
    get hanging() {
      const circuit = circuits.of(provider)
      return isOutOfOrder(circuit) ? underWay.size - calling(circuit) : 0
    },
    get outlived() {
      return underWay.size - calling(circuits.of(provider))
    },
    get calledAtMs() {
      return calledAtMs
    },
    enter: async () => {
      const untilMs = availableAt()
      if (untilMs > 0) return { kind: 'shut', untilMs }
      const circuit = circuits.of(provider)
      const begun = { era: circuit.era, startedAtMs: now() }
      underWay.add(begun)
      watch?.began()
      const settle = isProbeDue(circuit, begun.startedAtMs)
        ? (await lease.enter())?.settle
        : enterBreaker(begun)
      if (settle === undefined) {
        underWay.delete(begun)
        return { kind: 'shut', untilMs: now() + lookAgainMs }
      }
      return {
        kind: 'permit',
        settle: outcome => settle(outcome).finally(() => underWay.delete(begun)),
      }
    },
    close: forget,
  }
}
