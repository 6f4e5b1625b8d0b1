import type { Logger } from 'pino'
import type { CircuitTerms } from '../domain/circuit-terms.ts'
import type { Permit } from '../domain/permit.ts'
import type { CircuitStore } from './circuit-store.ts'
import type { Circuits } from './circuits.ts'
import type { HealthOutcome } from './local-breaker.ts'

export interface ProbeLeaseOptions {
  readonly provider: string
  /** Names this process. */
  readonly owner: string
  readonly terms: CircuitTerms
  readonly store: CircuitStore
  readonly circuits: Circuits
  readonly log: Logger
}

/** The right to make the one call in the cluster that shows whether a provider is back. */
export interface ProbeLease {
  /** Whether this process asks for it or has it. */
  readonly busy: boolean
  /** Null when another has the lease, or Redis is away. The lease is renewed until the permit is settled. */
  enter(): Promise<Permit<ProbeOutcome> | null>
}

export interface ProbeOutcome {
  readonly outcome: HealthOutcome
  readonly reason: string
}

/** A call that says nothing about the provider: we ended it ourselves, or it was not made after all. */
export const ignored: ProbeOutcome = { outcome: 'ignored', reason: '' }

/** A prober that fell silent is followed by another after this. */
const leaseMs = 10_000
const renewMs = 3_000

export const createProbeLease = (options: ProbeLeaseOptions): ProbeLease => {
  const { provider, owner, terms, store, circuits, log } = options
  let busy = false

  const ask = async (): Promise<boolean> => {
    try {
      const { taken, circuit } = await store.lease(provider, owner, leaseMs)
      circuits.learn(circuit)
      return taken
    } catch (error) {
      log.debug({ event: 'probe_lease.request_failed', err: error, provider }, 'probe lease not requested')
      return false
    }
  }

  const conclude = async (era: number, { outcome, reason }: ProbeOutcome): Promise<void> => {
    try {
      circuits.learn(await store.conclude(provider, terms, era, outcome, reason))
    } catch (error) {
      // The lease runs out, and another process probes.
      log.debug({ event: 'probe.report_failed', err: error, provider }, 'probe result not reported')
    }
  }

  const enter = async (): Promise<Permit<ProbeOutcome> | null> => {
    if (!(await ask())) return null
    const { era } = circuits.of(provider)
    const renewal = setInterval(() => {
      store
        .renew(provider, owner, leaseMs, era)
        .then(circuits.learn)
        .catch(error =>
          log.debug({ event: 'probe_lease.renew_failed', err: error, provider }, 'probe lease not renewed'),
        )
    }, renewMs)
    return {
      settle: async outcome => {
        try {
          await conclude(era, outcome)
        } finally {
          clearInterval(renewal)
          busy = false
        }
      },
    }
  }

  return {
    get busy() {
      return busy
    },
    enter: async () => {
      if (busy) return null
      busy = true
      const permit = await enter()
      if (permit === null) busy = false
      return permit
    },
  }
}
