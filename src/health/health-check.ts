import type { Logger } from 'pino'
import { type Circuit, isProbeDue, lookAgainMs } from '../domain/circuit.ts'
import type { CircuitTerms } from '../domain/circuit-terms.ts'
import { Interrupt } from '../domain/interrupt.ts'
import type { CircuitStore } from './circuit-store.ts'
import type { Circuits } from './circuits.ts'
import { ignored, type ProbeLease, type ProbeOutcome } from './probe-lease.ts'

/**
 * Checks a provider's health where no job's call shows it.
 *
 * healthy, recovering: once in an interval in the whole cluster, if no job called the provider for as long.
 * down or slow, its time passed: at once, with the cluster's one probe.
 * probing: when the process that probes falls silent.
 * throttled, paused: never.
 */
export interface HealthCheck {
  start(): void
  /** Ends a check under way without a result; another process makes the next one. */
  stop(): void
}

export interface CheckOutcome extends ProbeOutcome {
  /** Whether the list of models came. */
  readonly listed: boolean
}

export interface HealthCheckOptions {
  readonly provider: string
  readonly intervalMs: number
  readonly terms: CircuitTerms
  readonly store: CircuitStore
  readonly circuits: Circuits
  readonly lease: ProbeLease
  /** Unix ms at which this process's last call ended; 0 before any. */
  readonly calledAtMs: () => number
  /** Unix ms until which the provider cannot be asked, for want of a key that works; 0 for now. */
  readonly keylessUntil: () => number
  /** One call. Never throws. */
  readonly ask: (signal: Interrupt, lists: boolean) => Promise<CheckOutcome>
  readonly log: Logger
  readonly now: () => number
  readonly random: () => number
}

/**
 * One failure may be a blip, and no job is waiting: the provider is checked a second time before it counts as
 * down.
 */
const secondLookMs = 1_000
/** Processes that wait for the same moment are spread, so that they do not ask Redis all at once. */
const spread = 0.1

export const createHealthCheck = (options: HealthCheckOptions): HealthCheck => {
  const { provider, intervalMs, terms, store, circuits, lease, log, now, random } = options
  const stopping = new Interrupt()
  let timer: NodeJS.Timeout | null = null
  let pauseTimer: NodeJS.Timeout | null = null
  let busy = false
  let notBeforeMs = 0
  const lagMs = intervalMs * spread * random()

  /** Unix ms at which a check may be due; null while none is made. */
  const dueAt = (circuit: Circuit): number | null => {
    const { state, untilMs, sinceMs, checkedAtMs, pausedAtMs } = circuit
    if (pausedAtMs > 0 || state === 'throttled') return null
    if (state === 'down' || state === 'slow' || state === 'probing') return untilMs
    return Math.max(sinceMs, checkedAtMs ?? 0, options.calledAtMs()) + intervalMs + lagMs
  }

  const schedule = (): void => {
    if (timer) clearTimeout(timer)
    timer = null
    const atMs = dueAt(circuits.of(provider))
    if (stopping.aborted || busy || atMs === null) return
    const waitMs = Math.max(atMs, notBeforeMs, options.keylessUntil()) - now()
    // Not longer than an interval: a key or a deadline may change without a notification.
    timer = setTimeout(() => void look(), Math.min(Math.max(waitMs, 1), intervalMs))
  }

  const pause = (): Promise<void> =>
    new Promise(resolve => {
      pauseTimer = setTimeout(resolve, secondLookMs)
      stopping.onabort = resolve
      if (stopping.aborted) resolve()
    })

  const ask = async (): Promise<ProbeOutcome> => {
    const { lists } = circuits.of(provider)
    const told = await options.ask(stopping, lists)
    if (told.listed && !lists) circuits.learn(await store.markListed(provider))
    return told
  }

  const checkIdle = async (): Promise<void> => {
    const { taken, nextAtMs, circuit } = await store.takeCheck(provider, terms, intervalMs)
    circuits.learn(circuit)
    notBeforeMs = nextAtMs
    if (!taken) return
    const sinceMs = now()
    const first = await ask()
    if (first.outcome !== 'failure') return
    await pause()
    const { outcome, reason } = await ask()
    if (outcome !== 'failure') return
    circuits.learn(await store.openByCheck(provider, terms, circuit.era, reason, sinceMs))
  }

  const probe = async (): Promise<void> => {
    const permit = await lease.enter()
    if (permit === null) {
      notBeforeMs = now() + lookAgainMs
      return
    }
    let outcome = ignored
    try {
      outcome = await ask()
    } finally {
      await permit.settle(outcome)
    }
  }

  const look = async (): Promise<void> => {
    const circuit = circuits.of(provider)
    const atMs = dueAt(circuit)
    if (atMs === null || Math.max(atMs, notBeforeMs, options.keylessUntil()) > now()) return schedule()
    busy = true
    try {
      await (isProbeDue(circuit, now()) ? probe() : checkIdle())
    } catch (error) {
      // Redis is away, or going: it is not known whose turn it is.
      log.debug({ event: 'health_check.deferred', err: error, provider }, 'health check put off')
      notBeforeMs = now() + lookAgainMs
    } finally {
      busy = false
      schedule()
    }
  }

  const forget = circuits.onChange(circuit => {
    if (circuit.provider !== provider) return
    notBeforeMs = 0
    schedule()
  })

  return {
    start: schedule,
    stop: () => {
      stopping.abort('shutdown')
      forget()
      for (const each of [timer, pauseTimer]) if (each) clearTimeout(each)
    },
  }
}
