import type { RouteTarget } from '../domain/routing/chain.ts'
import { flexOf } from '../domain/routing/flex-tier.ts'
import type { AnsweredModels } from '../health/answered-models.ts'
import type { CooldownState, Cooldowns, Grounds, Scope } from '../health/cooldowns.ts'
import type { ApiKey, KeyRing } from '../health/key-ring.ts'
import { createRefusals } from '../health/refusals.ts'
import type { TargetGate } from '../health/target-gate.ts'
import type { Admission } from '../rate-limits/admission.ts'
import { defaultCoolingMs, type Judgement } from './judgement.ts'

export interface SuspendDeps {
  readonly provider: string
  readonly gate: Pick<TargetGate, 'leaveAlone'>
  readonly keys: Pick<KeyRing, 'scopeOf'>
  readonly admission: Pick<Admission, 'hasOther'>
  readonly cooldowns: Pick<Cooldowns, 'suspend'>
  readonly answered: Pick<AnsweredModels, 'note'>
  readonly now: () => number
}

/** Takes out of use what a verdict on a call blames: the model here, the key, or nothing. */
export type Suspend = (
  judgement: Judgement,
  target: RouteTarget,
  key: ApiKey | 'none',
  begunAtMs: number,
  grounds: Grounds,
) => void

/** A bad key, an empty account or a missing model: tried again this often, in case a person has mended it. */
export const stoppedMs = 5 * 60_000

export const createSuspend = (deps: SuspendDeps): Suspend => {
  const { provider, gate, keys, admission, cooldowns, answered, now } = deps
  const refusals = createRefusals()

  return (
    { verdict, isFlexFull }: Judgement,
    target: RouteTarget,
    key: ApiKey | 'none',
    begunAtMs: number,
    grounds: Grounds,
  ): void => {
    const { model, measuredAs, keptAs } = target
    const onTarget = `target:${provider}/${model}` as const
    const out = (scope: Scope, state: CooldownState, forMs: number): void =>
      cooldowns.suspend(scope, state, now() + forMs, verdict.reason, grounds)
    const cool = (forMs: number): void => {
      out(onTarget, 'throttled', forMs)
      // What is kept with others is no reason to leave those alone.
      if (keptAs === undefined) gate.leaveAlone(model, now() + forMs, verdict.reason)
    }
    const { kind, retryAfterMs } = verdict
    if (kind === 'ok') {
      refusals.answered(model)
      if (measuredAs !== undefined) answered.note(provider, model)
    }
    if (isFlexFull) {
      out(`target:${provider}/${flexOf(target).model}`, 'throttled', retryAfterMs ?? defaultCoolingMs)
      return
    }
    if (kind === 'rate_limited') {
      const forMs = refusals.turnedAway(model, begunAtMs, retryAfterMs ?? defaultCoolingMs, now())
      // Only the last usable key cools the target down: another key has limits of its own.
      if (keptAs !== undefined || !admission.hasOther(key, model)) cool(forMs)
    }
    if (kind === 'overloaded' && retryAfterMs !== null) cool(retryAfterMs)
    else if (kind === 'out_of_quota' || kind === 'bad_credentials')
      out(keys.scopeOf(key), 'stopped', Math.max(stoppedMs, retryAfterMs ?? 0))
    // A name that a client made up says nothing of the others.
    else if (kind === 'unknown_model' && measuredAs === undefined) out(onTarget, 'stopped', stoppedMs)
  }
}
