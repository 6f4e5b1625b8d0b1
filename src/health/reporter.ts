import type { Cluster, Redis } from 'ioredis'
import type { Logger } from 'pino'
import { overdue, takesShare } from '../domain/circuit.ts'
import type { CircuitTerms } from '../domain/circuit-terms.ts'
import { createCallSums, type EndedCall } from './call-sums.ts'
import type { CircuitStore } from './circuit-store.ts'
import type { Circuits } from './circuits.ts'

/**
 * Adds up how a process's calls to a provider ended, and reports it to the cluster. Never on the path of a
 * job.
 */
export interface Reporter {
  record(call: EndedCall): void
  stop(): Promise<void>
}

/** The sums go out this often at most. */
const pauseMs = 50
/** Waited after a step of the ramp is due, so that it is due in Redis as well, which goes by our clock. */
const stepMarginMs = 5
/** While the breaker is open and the cluster does not follow: Redis was away, or others have answers. */
const tellAgainMs = 1_000

export interface ReporterOptions {
  readonly provider: string
  /** Names this process. */
  readonly instance: string
  readonly terms: CircuitTerms
  readonly redis: Redis | Cluster
  readonly store: CircuitStore
  readonly circuits: Circuits
  /** Whether the process's own breaker has opened, without the cluster. */
  readonly isTripped: () => boolean
  readonly log: Logger
  readonly now: () => number
}

export const createReporter = (options: ReporterOptions): Reporter => {
  const { provider, instance, terms, redis, store, circuits, isTripped, log, now } = options
  const sums = createCallSums(instance, now)
  let sendTimer: NodeJS.Timeout | null = null
  let stepTimer: NodeJS.Timeout | null = null
  let sending: Promise<void> | null = null
  let sentAtMs = 0
  let stopped = false

  const send = async (): Promise<void> => {
    const { era, seq } = circuits.of(provider)
    const tally = sums.take(era, isTripped())
    // What Redis cannot hear now will be of no interest later; each process has its own breaker meanwhile.
    if (redis.status !== 'ready') return
    try {
      const circuit = await store.report(provider, terms, tally, seq)
      if (circuit) circuits.learn(circuit)
    } catch (error) {
      log.debug({ event: 'call_results.report_failed', err: error, provider }, 'call results not reported')
    }
  }

  const sendSoon = (afterMs: number): void => {
    if (stopped || sendTimer || sending) return
    const waitMs = Math.max(0, sentAtMs + afterMs - performance.now())
    sendTimer = setTimeout(() => {
      sendTimer = null
      sentAtMs = performance.now()
      sending = send().finally(() => {
        sending = null
        if (sums.isAny) sendSoon(pauseMs)
        else if (isTripped()) sendSoon(tellAgainMs)
      })
    }, waitMs)
  }

  /** The ramp continues even when no process has anything to report. */
  const awaitStep = (): void => {
    const circuit = circuits.of(provider)
    if (stepTimer) clearTimeout(stepTimer)
    stepTimer = null
    if (stopped || !takesShare(circuit)) return
    const waitMs = Math.max(pauseMs, circuit.untilMs - now() + stepMarginMs)
    stepTimer = setTimeout(() => {
      sendSoon(pauseMs)
      awaitStep()
    }, waitMs)
  }
  const forget = circuits.onChange(circuit => {
    if (circuit.provider === provider) awaitStep()
  })
  awaitStep()

  return {
    record: call => {
      const { era, reason } = circuits.of(provider)
      const isLate = reason === overdue && call.era < era && call.outcome === 'success'
      if (isLate) sums.answeredLate()
      if (sums.record(call) || isLate) sendSoon(pauseMs)
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
