import CircuitBreaker from 'opossum'
import type { Logger } from 'pino'
import type { Permit } from '../domain/permit.ts'

export type BreakerState = 'closed' | 'open' | 'half_open'

export interface BreakerOptions {
  readonly windowMs: number
  readonly errorPercent: number
  readonly minCalls: number
  readonly resetMs: number
}

/** How a call went, as health counts it. `ignored`: ended by us, it says nothing about the provider. */
export type HealthOutcome = 'success' | 'failure' | 'ignored'

/**
 * One process's circuit breaker for one provider.
 *
 * closed: calls pass; opens when more than `errorPercent` of at least `minCalls` in the window failed.
 * open: no call passes, for `resetMs`. half_open: exactly one passes; its outcome closes or opens again.
 */
export interface LocalBreaker {
  readonly state: BreakerState
  /** Whether it has opened on its own, without the cluster. */
  readonly isTripped: boolean
  /** Null when the breaker lets no call pass. */
  enter(): Permit<HealthOutcome> | null
  /**
   * Follows the cluster, which knows more than one process does. When released, the breaker starts afresh.
   */
  force(state: 'closed' | 'open'): void
  close(): void
}

class CountedFailure extends Error {}
const failure = new CountedFailure('upstream call failed')

/**
 * opossum counts a call's start and its failure in the window's buckets of their own time, so calls longer
 * than the window never open it, or open it at once; and a call begun before an outage that ends during the
 * probe decides the probe. Completions take minutes. So while closed the call runs outside, and only its
 * outcome is fired, in one instant; an outcome from before the last change of state is dropped. The window
 * can then be short.
 */
export const createLocalBreaker = (name: string, options: BreakerOptions, log: Logger): LocalBreaker => {
  let changes = 0
  /** While the cluster keeps it open, its own clock, by which it would try again, does not count. */
  let forced = false

  const changed = (state: BreakerState) => (): void => {
    changes += 1
    if (!forced) log.warn({ event: 'breaker.state_changed', provider: name, state }, 'breaker changed state')
  }
  const build = (): CircuitBreaker<[() => Promise<void>], void> => {
    const built = new CircuitBreaker<[() => Promise<void>], void>(act => act(), {
      name,
      timeout: false,
      errorThresholdPercentage: options.errorPercent,
      volumeThreshold: options.minCalls,
      rollingCountTimeout: options.windowMs,
      rollingCountBuckets: 10,
      resetTimeout: options.resetMs,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
    })
    built.on('open', changed('open'))
    built.on('halfOpen', changed('half_open'))
    built.on('close', changed('closed'))
    return built
  }
  let breaker = build()

  const stateOf = (): BreakerState => {
    if (forced) return 'open'
    return breaker.closed ? 'closed' : breaker.halfOpen ? 'half_open' : 'open'
  }

  const count = (outcome: 'success' | 'failure'): Promise<void> =>
    breaker
      .fire(async () => {
        if (outcome === 'failure') throw failure
      })
      .catch(() => undefined)

  const enterClosed = (): Permit<HealthOutcome> => {
    const before = changes
    return {
      settle: async outcome => {
        if (outcome !== 'ignored' && before === changes) await count(outcome)
      },
    }
  }

  /** opossum starts an action at once or not at all: the one that it starts while half open is the probe. */
  const enterProbe = (): Permit<HealthOutcome> | null => {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    let passes = false
    const act = (): Promise<void> => {
      passes = true
      return promise
    }
    const fired = breaker.fire(act).catch(() => undefined)
    if (!passes) return null
    return {
      settle: async outcome => {
        // A probe that we ended ourselves proves nothing: stay on the safe side.
        if (outcome === 'success') resolve()
        else reject(failure)
        await fired
      },
    }
  }

  return {
    get state() {
      return stateOf()
    },
    get isTripped() {
      return !forced && !breaker.closed
    },
    enter: () => {
      if (forced) return null
      return breaker.closed ? enterClosed() : enterProbe()
    },
    force: state => {
      if (state === 'open') {
        forced = true
        breaker.open()
        return
      }
      if (!forced && breaker.closed) return
      // opossum keeps its counts when it closes, and the first failure after that would open it again.
      forced = false
      changes += 1
      breaker.shutdown()
      breaker = build()
    },
    close: () => breaker.shutdown(),
  }
}
