import type { Logger } from 'pino'
import type { CircuitTerms } from '../domain/circuit-terms.ts'
import type { CircuitStore } from './circuit-store.ts'
import type { Circuits } from './circuits.ts'

/**
 * Reports to the cluster that a provider or a model throttled a call, and until when it must not be called.
 * Never throws.
 */
export type LeaveAlone = (untilMs: number, reason: string) => void

export interface LeaveAloneOptions {
  readonly provider: string
  readonly terms: CircuitTerms
  readonly store: CircuitStore
  readonly circuits: Circuits
  readonly log: Logger
  readonly now: () => number
}

/**
 * Every 429 of a storm moves the time a little; it is reported when it moves by this, or by a tenth of what
 * is left.
 */
const longestSlackMs = 250
/**
 * How long a report takes to reach the circuit. After that only the circuit counts: an operator may have
 * ended the cooldown.
 */
const onItsWayMs = 1_000

export const createLeaveAlone = ({
  provider,
  terms,
  store,
  circuits,
  log,
  now,
}: LeaveAloneOptions): LeaveAlone => {
  let toldMs = 0
  let toldAtMs = 0
  return (untilMs, reason) => {
    // It may be called again at once.
    if (untilMs <= now()) return
    if (toldAtMs + onItsWayMs < now()) toldMs = 0
    const slackMs = Math.min(longestSlackMs, (untilMs - now()) / 10)
    const { state, untilMs: knownMs } = circuits.of(provider)
    if (untilMs - Math.max(toldMs, state === 'throttled' ? knownMs : 0) < slackMs) return
    toldMs = untilMs
    toldAtMs = now()
    store
      .leaveAlone(provider, terms, untilMs, reason)
      .then(circuits.learn)
      .catch(error =>
        log.debug(
          { event: 'throttling.publish_failed', err: error, provider },
          'throttling of a provider not published',
        ),
      )
  }
}
