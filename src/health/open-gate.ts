import type { Cluster, Redis } from 'ioredis'
import type { Logger } from 'pino'
import { circuitOf } from '../domain/circuit.ts'
import { type CircuitSettings, termsOf } from '../domain/circuit-terms.ts'
import type { IsAnswered } from '../domain/routing/chain.ts'
import { anyModel } from '../domain/routing/wildcards.ts'
import type { Lifecycle } from '../lifecycle/lifecycle.ts'
import { type BreakerGate, type BreakerGateOptions, createBreakerGate } from './breaker-gate.ts'
import type { CircuitStore } from './circuit-store.ts'
import type { Circuits } from './circuits.ts'
import { createLeaveAlone } from './cooling.ts'
import { createHealthCheck, type HealthCheckOptions } from './health-check.ts'
import { createLocalBreaker, type LocalBreaker } from './local-breaker.ts'
import { openModelGates } from './model-gates.ts'
import { type BegunCall, createOverdueWatch } from './overdue-watch.ts'
import { createProbeLease } from './probe-lease.ts'
import { createReporter } from './reporter.ts'
import { createTargetGate, type TargetGate } from './target-gate.ts'

export interface GateDeps {
  readonly provider: string
  readonly settings: CircuitSettings
  /** Calls at once that this process may make now. */
  readonly places: () => number
  /** The health check of an idle provider; null for a provider without one. */
  readonly check: Pick<HealthCheckOptions, 'intervalMs' | 'keylessUntil' | 'ask'> | null
  /** Names this process. */
  readonly instance: string
  readonly redis: Redis | Cluster
  readonly circuits: Circuits
  readonly circuitStore: CircuitStore
  readonly log: Logger
  readonly now: () => number
}

interface OpenCircuit {
  readonly gate: BreakerGate
  readonly breaker: LocalBreaker
}

export interface OpenGate {
  readonly gate: TargetGate
  /** The breaker of the whole provider. */
  readonly breaker: LocalBreaker
}

/**
 * Opens a process's gate to one provider: the cluster's circuit, its own breakers, and its reports to the
 * cluster.
 */
export const openGate = async (
  life: Lifecycle,
  parts: GateDeps & {
    readonly models: readonly string[]
    /** Whether a healthy provider other than this one can take jobs for that model now. */
    readonly hasHealthyAlternative: (model: string) => boolean
    readonly isAnswered: IsAnswered
  },
): Promise<OpenGate> => {
  const { provider, settings, now } = parts
  const ofModel = (model: string) => ({ hasHealthyAlternative: () => parts.hasHealthyAlternative(model) })
  // Whatever clients put for a star: there are others, or there may be.
  const hasModels = parts.models.length > 1 || parts.models.includes(anyModel)
  const whole = await openCircuit(life, {
    ...{ ...parts, ...ofModel(parts.models[0] ?? '') },
    isTimed: !hasModels,
  })
  const openModel = async (within: Lifecycle, model: string): Promise<BreakerGate> => {
    const name = circuitOf({ provider, model })
    const terms = { ...parts, ...ofModel(model), provider: name, check: null, isTimed: true }
    return (await openCircuit(within, terms)).gate
  }
  const models = await openModelGates(life, {
    // A provider's only model needs no circuit beside the provider's.
    models: hasModels ? parts.models : [],
    isAnswered: model => parts.isAnswered(provider, model),
    openModel,
    log: parts.log,
  })
  const gate = createTargetGate({ whole: whole.gate, models, windowMs: settings.windowMs, now })
  return { gate, breaker: whole.breaker }
}

const openCircuit = async (
  life: Lifecycle,
  parts: GateDeps & Pick<BreakerGateOptions, 'hasHealthyAlternative'> & { readonly isTimed: boolean },
): Promise<OpenCircuit> => {
  const { provider, settings, circuits, circuitStore: store, log, now } = parts
  const terms = termsOf(settings)
  const breaker = await life.open(
    `breaker ${provider}`,
    () => createLocalBreaker(provider, settings, log),
    breaker => breaker.close(),
  )
  const reporter = await life.open(
    `reporter ${provider}`,
    () =>
      createReporter({
        ...{ provider, terms, store, circuits, log, now },
        instance: parts.instance,
        redis: parts.redis,
        isTripped: () => breaker.isTripped,
      }),
    reporter => reporter.stop(),
  )
  const underWay = new Set<BegunCall>()
  const watch = parts.isTimed
    ? await life.open(
        `overdue calls ${provider}`,
        () =>
          createOverdueWatch({
            ...{ provider, terms, store, circuits, log, now },
            instance: parts.instance,
            underWay: () => underWay,
          }),
        watch => watch.stop(),
      )
    : null
  const lease = createProbeLease({ provider, owner: parts.instance, terms, store, circuits, log })
  const gate = await life.open(
    `gate ${provider}`,
    () =>
      createBreakerGate({
        ...{ provider, circuits, breaker, lease, reporter, underWay, watch, now },
        leaveAlone: createLeaveAlone({ provider, terms, store, circuits, log, now }),
        places: parts.places,
        hasHealthyAlternative: parts.hasHealthyAlternative,
        isChecked: parts.check !== null,
      }),
    gate => gate.close(),
  )
  if (parts.check) {
    const { check } = parts
    await life.open(
      `health check ${provider}`,
      () => {
        const calledAtMs = (): number => gate.calledAtMs
        const { random } = Math
        const healthCheck = createHealthCheck({
          ...{ provider, terms, store, circuits, lease, calledAtMs, log, now, random },
          ...check,
        })
        healthCheck.start()
        return healthCheck
      },
      healthCheck => healthCheck.stop(),
    )
  }
  return { gate, breaker }
}
