import { circuitOf } from '../domain/circuit.ts'
import type { Target } from '../domain/job.ts'
import type { Circuits } from './circuits.ts'
import type { Cooldowns, Scope } from './cooldowns.ts'

export interface UnavailableReasonDeps {
  readonly circuits: Pick<Circuits, 'of'>
  readonly cooldowns: Pick<Cooldowns, 'current'>
  /** See `Attendance`. */
  readonly withoutWorkerSince: (provider: string) => number
}

/**
 * Why a target is out of use, in the word that `/v1/providers` has for it; null when nothing is known against it. The order
 * is that of who decides: the operator, then what keeps all calls away, then that nobody is there to make them, then what keeps
 * some away.
 */
export const createUnavailableReason =
  ({ circuits, cooldowns, withoutWorkerSince }: UnavailableReasonDeps) =>
  ({ provider, model }: Target): string | null => {
    const { state, pausedAtMs } = circuits.of(provider)
    if (pausedAtMs > 0) return 'paused'
    const ofModel = circuits.of(circuitOf({ provider, model })).state
    const states = [state, ofModel]
    const shut = states.find(each => each !== 'healthy' && each !== 'recovering')
    if (shut) return shut
    if (withoutWorkerSince(provider) > 0) return 'no_worker'
    const scopes: Scope[] = [`provider:${provider}`, `target:${provider}/${model}`]
    const entries = cooldowns.current()
    const own = entries.find(({ scope }) => scopes.includes(scope))
    // A stopped key matters where no other is left, and then nothing else is known.
    if (own) return own.state
    if (states.includes('recovering')) return 'recovering'
    return entries.find(({ scope }) => scope.startsWith(`key:${provider}#`))?.state ?? null
  }
