import type { BreakerGate, Entered } from './breaker-gate.ts'
import { ignored, type ProbeOutcome } from './probe-lease.ts'

/** How a call went, and whether a failure was one of the connection: then it says nothing about the model. */
export interface CallJudgement extends ProbeOutcome {
  readonly isUnreached: boolean
}

/** Lets calls through to the models of a provider: each has its own health, beneath that of the whole. */
export interface TargetGate {
  /** Unix ms from which a call of that model may be made; 0 for now. */
  availableAt(model: string): number
  /** Whether all calls but a few are kept out for the whole of the provider, as it is out of order. */
  readonly isRestricted: boolean
  /** Whether the only thing a call waits for is one of the few slots of a recovering provider or model. */
  isRamping(model: string): boolean
  /** That model throttled a call, and wants to be left alone until then. */
  leaveAlone(model: string, untilMs: number, reason: string): void
  /** Calls that have hung since before their model or provider was left: other jobs may run beside them. */
  readonly hanging: number
  /** Calls under way that began before its present state. */
  readonly outlived: number
  enter(model: string): Promise<Entered<CallJudgement>>
}

/** The gates of a provider's models. */
export interface ModelGates {
  /** Undefined where that of the whole provider is its gate, or it is not open yet. */
  get(model: string): BreakerGate | undefined
  /** Opens that of a model which was not there from the start. */
  open(model: string): Promise<BreakerGate | undefined>
  readonly all: Iterable<BreakerGate>
}

export interface TargetGateOptions {
  readonly whole: BreakerGate
  readonly models: ModelGates
  /** An answer that was given longer ago proves nothing. */
  readonly windowMs: number
  readonly now: () => number
}

/**
 * Connection-level failures (connection, name, TLS) count against the provider. Other failures count against
 * the model if another model of the provider answered recently; otherwise against both. So when a whole
 * provider dies, the failures of all its models open it together, and a rarely called model does not have to
 * fail often enough on its own.
 */
export const createTargetGate = ({ whole, models, windowMs, now }: TargetGateOptions): TargetGate => {
  const answeredAtMs = new Map<string, number>()
  const failedAtMs = new Map<string, number>()

  const othersAnswer = (model: string): boolean =>
    [...answeredAtMs].some(
      ([other, atMs]) => other !== model && atMs > now() - windowMs && atMs > (failedAtMs.get(other) ?? 0),
    )

  const forProvider = (model: string, { outcome, reason, isUnreached }: CallJudgement): ProbeOutcome =>
    outcome === 'failure' && !isUnreached && othersAnswer(model)
      ? { outcome: 'success', reason: '' }
      : { outcome, reason }

  const forModel = ({ outcome, reason, isUnreached }: CallJudgement): ProbeOutcome =>
    outcome === 'failure' && isUnreached ? ignored : { outcome, reason }

  const remember = (model: string, { outcome }: CallJudgement): void => {
    if (outcome === 'success') answeredAtMs.set(model, now())
    else if (outcome === 'failure') failedAtMs.set(model, now())
  }

  const availableAt = (model: string): number =>
    Math.max(whole.availableAt(), models.get(model)?.availableAt() ?? 0)

  return {
    availableAt,
    get isRestricted() {
      return whole.isRestricted
    },
    get outlived() {
      const ofModels = [...models.all].reduce((sum, gate) => sum + gate.outlived, 0)
      return Math.max(whole.outlived, ofModels)
    },
    get hanging() {
      const ofModels = [...models.all].reduce((sum, gate) => sum + gate.hanging, 0)
      return Math.max(whole.hanging, ofModels)
    },
    leaveAlone: (model, untilMs, reason) => (models.get(model) ?? whole).leaveAlone(untilMs, reason),
    isRamping: model => {
      const parts = [whole, models.get(model)].filter(part => part !== undefined)
      return (
        parts.some(part => part.isRamping) && parts.every(part => part.isRamping || part.availableAt() === 0)
      )
    },
    enter: async model => {
      const part = models.get(model) ?? (await models.open(model))
      if (part === undefined) return whole.enter()
      const untilMs = availableAt(model)
      if (untilMs > 0) return { kind: 'shut', untilMs }
      const ofProvider = await whole.enter()
      if (ofProvider.kind === 'shut') return ofProvider
      const ofModel = await part.enter()
      if (ofModel.kind === 'shut') {
        await ofProvider.settle(ignored)
        return ofModel
      }
      return {
        kind: 'permit',
        settle: async judgement => {
          await ofModel.settle(forModel(judgement))
          remember(model, judgement)
          await ofProvider.settle(forProvider(model, judgement))
        },
      }
    },
  }
}
