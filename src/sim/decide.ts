import {
  atOncePace,
  type Behaviour,
  type BehaviourInput,
  behaviourSchema,
  type Fault,
  type Latency,
  type Streaming,
} from './behaviour.ts'
import type { Outcome } from './call-stats.ts'
import { parseScript, type Step, stepAt } from './script.ts'
import { createThrottle, type Denial, type RateLimits, scriptedDenial, type Throttle } from './throttle.ts'

/** What a call may say about its own fate. */
export interface CallFacts {
  /** The header `x-sim-script`. */
  readonly script: string | undefined
  readonly model: string
  readonly identity: string | null
  readonly inputTokens: number
}

/** To be called when the call has come to its end; absent where it takes no place. */
type Leave = () => void

interface ThrottleDecision {
  readonly outcome: 'throttle'
  readonly limits: RateLimits
  readonly denial: Denial
  readonly leave?: Leave
}

export interface OrdinaryDecision {
  readonly outcome: Exclude<Outcome, 'throttle'>
  readonly delayMs: number
  readonly bodyDelayMs: number
  /** Where a throttle is set, successes tell its state as well. */
  readonly limits: RateLimits | null
  readonly leave?: Leave
}

export type Decision = ThrottleDecision | OrdinaryDecision

export interface Decider {
  /** Null where the call asks for a script that cannot be read. */
  decide(call: CallFacts): Decision | null
  /** What a request for the list of models meets: an outage, but no limits. */
  decideList(): OrdinaryDecision
  /** Replaces the behaviour, with full buckets. Throws a ZodError for one that is malformed. */
  behave(behaviour: BehaviourInput): void
  /** At what pace streams come. */
  readonly streaming: Streaming
  /** Lets every script begin anew. */
  rewind(): void
}

const defaultWaitMs = 1_000

interface Chance {
  readonly random: Random
  readonly now: () => number
}

const isOutage = (decision: Decision): decision is OrdinaryDecision =>
  /^(hang|reset|error-.+)$/.test(decision.outcome)

/** Decides what each call meets: its own script where it brings one, else the behaviour that is set. */
export function createDecider(initial: BehaviourInput, { random, now }: Chance): Decider {
  const scripts = new Map<string, readonly Step[] | null>()
  const callsOfScript = new Map<string, number>()
  let behaviour: Behaviour
  let throttle: Throttle | null

  function behave(input: BehaviourInput): void {
    behaviour = behaviourSchema.parse(input)
    throttle = behaviour.throttle === undefined ? null : createThrottle(behaviour.throttle, now())
  }
  behave(initial)

  function stepsOf(text: string): readonly Step[] | null {
    const known = scripts.get(text)
    if (known !== undefined) return known
    const steps = parseScript(text)
    scripts.set(text, steps)
    return steps
  }

  function meet(outcome: Outcome, ms: number | null, delayMs: number, limits: RateLimits | null): Decision {
    if (outcome === 'throttle') return { outcome, ...scriptedDenial(ms ?? defaultWaitMs) }
    return { outcome, delayMs, bodyDelayMs: ms ?? defaultWaitMs, limits }
  }

  function follow(text: string, steps: readonly Step[], identity: string | null): Decision {
    const key = `${text}\n${identity ?? ''}`
    const index = callsOfScript.get(key) ?? 0
    callsOfScript.set(key, index + 1)
    const { action, ms } = stepAt(steps, index)
    if (action === 'slow') return meet('ok', null, ms ?? defaultWaitMs, null)
    return meet(action, ms, drawLatencyMs(behaviour.latency, random), null)
  }

  function behaveTo(inputTokens: number): Decision {
    if (throttle === null) return meetFault(null)
    const { limits, denial } = throttle.admit(inputTokens, now())
    if (denial !== null) return { outcome: 'throttle', limits, denial }
    // Not of the throttle that may be set by then.
    return { ...meetFault(limits), leave: throttle.leave }
  }

  function meetFault(limits: RateLimits | null): Decision {
    const fault: Fault | null = drawFault(behaviour.fault, random)
    const delayMs = drawLatencyMs(behaviour.latency, random)
    return meet(fault?.kind ?? 'ok', fault?.ms ?? null, delayMs, limits)
  }

  return {
    decide({ script, model, identity, inputTokens }) {
      const text = script ?? model
      const steps = stepsOf(text)
      if (steps !== null) return follow(text, steps, identity)
      // A misspelt script must not pass for a model that answers.
      return script !== undefined || model.startsWith('fail-') ? null : behaveTo(inputTokens)
    },
    decideList() {
      const decision = meetFault(null)
      return isOutage(decision) ? decision : { outcome: 'ok', delayMs: 0, bodyDelayMs: 0, limits: null }
    },
    behave,
    get streaming() {
      return behaviour.stream ?? atOncePace
    },
    rewind: () => callsOfScript.clear(),
  }
}

/** Answers a number from 0 to below 1, as `Math.random` does. */
export type Random = () => number

/** A standard normal number (Box-Muller). `1 - random()` keeps the logarithm away from zero. */
const normal = (random: Random): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())

export function drawLatencyMs(latency: Latency | undefined, random: Random): number {
  switch (latency?.kind) {
    case undefined:
      return 0
    case 'fixed':
      return latency.ms
    case 'uniform':
      return latency.minMs + random() * (latency.maxMs - latency.minMs)
    case 'lognormal':
      return latency.medianMs * Math.exp(latency.sigma * normal(random))
  }
}

/** One draw decides among all faults: each owns a stretch of 0..1 as long as its rate. */
export function drawFault(faults: readonly Fault[], random: Random): Fault | null {
  if (faults.length === 0) return null
  let point = random()
  for (const fault of faults) {
    if (point < fault.rate) return fault
    point -= fault.rate
  }
  return null
}
