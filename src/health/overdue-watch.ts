import type { Logger } from 'pino'
import type { CircuitTerms } from '../domain/circuit-terms.ts'
import type { CircuitStore } from './circuit-store.ts'
import type { Circuits } from './circuits.ts'

/** A call under way. */
export interface BegunCall {
  readonly startedAtMs: number
  /** The circuit's era when the call began. */
  readonly era: number
}

/** Reports calls that take far longer than usual while none is answered. Never on the path of a job. */
export interface OverdueWatch {
  began(): void
  answered(): void
  stop(): void
}

export interface OverdueWatchOptions {
  readonly provider: string
  /** Names this process. */
  readonly instance: string
  readonly terms: CircuitTerms
  readonly store: CircuitStore
  readonly circuits: Circuits
  /** Calls under way, oldest first. */
  readonly underWay: () => Iterable<BegunCall>
  readonly log: Logger
  readonly now: () => number
}

/** So many calls of a process are looked at: the cluster needs no more. */
const mostTold = 3
/** Reports are repeated this often: in Redis they last a little longer. */
const tellAgainMs = 1_000
const soonestMs = 100
/** Until something is known of what is usual. */
const askAgainMs = 5_000

export const createOverdueWatch = (options: OverdueWatchOptions): OverdueWatch => {
  const { provider, instance, terms, store, circuits, underWay, log, now } = options
  const { factor, leastMs } = terms.slow
  let timer: NodeJS.Timeout | null = null
  let limitMs = leastMs
  let answeredAtMs = 0
  let stopped = false

  const arm = (afterMs: number): void => {
    if (stopped || factor === 0) return
    if (timer) clearTimeout(timer)
    timer = setTimeout(() => {
      timer = null
      void look()
    }, afterMs)
  }

  /** How long calls of this era have been under way, longest first: one more than is reported. */
  const agesOf = (era: number): number[] => {
    const ages: number[] = []
    for (const call of underWay()) {
      if (call.era === era) ages.push(now() - call.startedAtMs)
      if (ages.length > mostTold) break
    }
    return ages
  }

  const tell = async (era: number, ages: readonly number[]): Promise<number> => {
    try {
      const told = await store.overdue(provider, terms, era, instance, ages)
      circuits.learn(told.circuit)
      limitMs = told.limitMs || leastMs
      return told.limitMs === 0 ? askAgainMs : tellAgainMs
    } catch (error) {
      log.debug(
        { event: 'calls_in_flight.report_failed', err: error, provider },
        'calls in flight not reported',
      )
      return tellAgainMs
    }
  }

  const look = async (): Promise<void> => {
    const { era, state } = circuits.of(provider)
    const ages = state === 'healthy' || state === 'recovering' ? agesOf(era) : []
    const [oldest] = ages
    // The next call that begins sets the timer again.
    if (oldest === undefined) return
    const notBeforeMs = Math.max(limitMs - oldest, answeredAtMs + limitMs / 2 - now())
    if (notBeforeMs > 0) return arm(Math.max(soonestMs, notBeforeMs))
    const againMs = await tell(era, ages.slice(0, mostTold))
    // Another call may be overdue before the same ones are due to be reported again.
    const next = ages.find(age => age < limitMs)
    const nextMs = next === undefined ? againMs : Math.max(soonestMs, limitMs - next)
    arm(Math.min(againMs, nextMs))
  }

  return {
    began: () => {
      if (timer === null) arm(limitMs)
    },
    answered: () => {
      answeredAtMs = now()
    },
    stop: () => {
      stopped = true
      if (timer) clearTimeout(timer)
    },
  }
}
