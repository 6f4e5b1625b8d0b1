import type { Logger } from 'pino'
import { createLifecycle, type Lifecycle } from '../lifecycle/lifecycle.ts'
import type { BreakerGate } from './breaker-gate.ts'
import type { ModelGates } from './target-gate.ts'

export interface ModelGatesDeps {
  /** Those that the config names, and `*` for what clients name: open from the start. */
  readonly models: readonly string[]
  /** Whether a model that a client named has health of its own. */
  readonly isAnswered: (model: string) => boolean
  readonly openModel: (life: Lifecycle, model: string) => Promise<BreakerGate>
  readonly log: Logger
}

interface Late {
  readonly life: Lifecycle
  readonly opening: Promise<BreakerGate>
  gate: BreakerGate | undefined
}

/** They only end timers and forget what they counted. */
const graceMs = 5_000

/**
 * The gates of a provider's models: those of the config for as long as the process runs, those of models behind a wildcard from
 * their first call after they were answered until they are forgotten.
 */
export const openModelGates = async (
  life: Lifecycle,
  { models, isAnswered, openModel, log }: ModelGatesDeps,
): Promise<ModelGates> => {
  const own = new Map<string, BreakerGate>()
  for (const model of models) own.set(model, await openModel(life, model))
  const late = new Map<string, Late>()
  await life.open(
    'circuits of answered models',
    () => late,
    async () => void (await Promise.all([...late.values()].map(({ life }) => life.stop()))),
  )

  const forget = (): void => {
    for (const [model, { life }] of late) {
      if (isAnswered(model)) continue
      late.delete(model)
      void life.stop()
    }
  }

  const openLate = async (model: string): Promise<BreakerGate> => {
    forget()
    const within = createLifecycle(graceMs, log)
    const made: Late = { life: within, opening: openModel(within, model), gate: undefined }
    late.set(model, made)
    made.gate = await made.opening
    return made.gate
  }

  return {
    get: model => own.get(model) ?? late.get(model)?.gate,
    open: async model => {
      const known = own.get(model)
      if (known !== undefined || life.stopping || !isAnswered(model)) return known
      return late.get(model)?.opening ?? openLate(model)
    },
    get all() {
      return [...own.values(), ...[...late.values()].flatMap(({ gate }) => gate ?? [])]
    },
  }
}
