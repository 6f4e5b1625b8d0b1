import type { Cluster, Redis } from 'ioredis'
import type { Logger } from 'pino'
import type { CircuitTerms } from '../domain/health.ts'
import type { CircuitStore } from './circuit-store.ts'
import type { Circuits } from './circuits.ts'
import type { GuardOutcome } from './guard.ts'

/** Adds up how a process's calls to a provider went, and tells the cluster: never on the path of a job. */
export interface Reporter {
  /** `era`: of the circuit when the call began. */
  note(era: number, outcome: GuardOutcome, reason: string): void
  stop(): Promise<void>
}

/** The sums go out this often at most. */
const pauseMs = 50
/** After the time of a step of the ramp: by then it has come for Redis too, which is told the time by us. */
const stepMarginMs = 5

export interface ReporterOptions {
  readonly provider: string
  readonly terms: CircuitTerms
  readonly redis: Redis | Cluster
  readonly store: CircuitStore
  readonly circuits: Circuits
  readonly log: Logger
  readonly now: () => number
}

export const createReporter = (options: ReporterOptions): Reporter => {
  const { provider, terms, redis, store, circuits, log, now } = options
  let tally = { era: 0, ok: 0, failed: 0, reason: '' }
  let sendTimer: NodeJS.Timeout | null = null
  let stepTimer: NodeJS.Timeout | null = null
  let sending: Promise<void> | null = null
  let sentAtMs = 0
  let stopped = false

  const start = (era: number): void => {
    tally = { era, ok: 0, failed: 0, reason: '' }
  }

  const send = async (): Promise<void> => {
    const sums = tally
    const { era, seq } = circuits.of(provider)
    start(era)
    // What Redis cannot hear now will be of no interest later; each process has its own guard meanwhile.
    if (redis.status !== 'ready') return
    try {
      const circuit = await store.report(provider, terms, sums, seq)
      if (circuit) circuits.learn(circuit)
    } catch (error) {
      log.debug({ err: error, provider }, 'calls not reported')
    }
  }

  const sendSoon = (): void => {
    if (stopped || sendTimer || sending) return
    const waitMs = Math.max(0, sentAtMs + pauseMs - performance.now())
    sendTimer = setTimeout(() => {
      sendTimer = null
      sentAtMs = performance.now()
      sending = send().finally(() => {
        sending = null
        if (tally.ok + tally.failed > 0) sendSoon()
      })
    }, waitMs)
  }

  /** The ramp goes on where nobody has anything to report, too. */
  const awaitStep = (): void => {
    const { state, untilMs } = circuits.of(provider)
    if (stepTimer) clearTimeout(stepTimer)
    stepTimer = null
    if (stopped || state !== 'recovering') return
    const waitMs = Math.max(pauseMs, untilMs - now() + stepMarginMs)
    stepTimer = setTimeout(() => {
      if (tally.ok + tally.failed === 0) start(circuits.of(provider).era)
      sendSoon()
      awaitStep()
    }, waitMs)
  }
  const forget = circuits.onChange(circuit => {
    if (circuit.provider === provider) awaitStep()
  })
  awaitStep()

  return {
    note: (era, outcome, reason) => {
      if (outcome === 'ignored' || era < tally.era) return
      if (era > tally.era) start(era)
      if (outcome === 'success') tally.ok += 1
      else {
        tally.failed += 1
        tally.reason = reason
      }
      sendSoon()
    },
    stop: async () => {
      stopped = true
      forget()
      if (sendTimer) clearTimeout(sendTimer)
      if (stepTimer) clearTimeout(stepTimer)
      await sending
    },
  }
}
