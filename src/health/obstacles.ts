import { type Circuit, type CircuitState, circuitOf } from '../domain/circuit.ts'
import type { Target } from '../domain/job.ts'
import type { KeptTarget } from '../domain/kept-target.ts'
import { isBlockReason, type Obstacle, type ObstacleOf } from '../domain/obstacle.ts'
import type { Circuits } from './circuits.ts'
import type { Cooldown, Cooldowns, Scope } from './cooldowns.ts'
import type { KeyRing } from './key-ring.ts'

export interface ObstacleDeps {
  readonly circuits: Pick<Circuits, 'of'>
  readonly cooldowns: Pick<Cooldowns, 'current'>
  readonly keyRings: ReadonlyMap<string, Pick<KeyRing, 'unavailableUntil'>>
  /** See `Attendance`. */
  readonly withoutWorkerSince: (provider: string) => number
}

const failed = 'It is out of use after failures, until a probe has shown that it is back.'
const hangs = 'Its calls are not answered.'
const outOfOrder = { down: failed, probing: failed, slow: hangs }
const throttled = { throttled: 'It throttles.' }

/** In this order: what a person must mend, then the lack of workers, then what passes with time. */
export const createObstacleOf = (parts: ObstacleDeps): ObstacleOf => {
  const { circuits, cooldowns, keyRings, withoutWorkerSince } = parts
  const ofCircuit = (
    { provider, model }: Target,
    { state, sinceMs, reason }: Circuit,
    states: Readonly<Partial<Record<CircuitState, string>>>,
  ): Obstacle | null => {
    const message = states[state]
    if (message === undefined) return null
    const error = { provider, model, status_code: null, code: reason || state, message }
    return { blocks: null, isThrottling: state === 'throttled', sinceMs, error }
  }

  const ofPause = ({ provider, model }: Target, { pausedAtMs }: Circuit): Obstacle | null =>
    pausedAtMs === 0
      ? null
      : {
          blocks: 'paused',
          isThrottling: false,
          sinceMs: pausedAtMs,
          error: {
            provider,
            model,
            status_code: null,
            code: 'paused',
            message: 'An operator has paused it.',
          },
        }

  const ofAbsence = ({ provider, model }: Target): Obstacle | null => {
    const sinceMs = withoutWorkerSince(provider)
    if (sinceMs === 0) return null
    const message = 'No worker is running for it.'
    const error = { provider, model, status_code: null, code: 'no_worker', message }
    return { blocks: null, isThrottling: false, isWithoutWorker: true, sinceMs, error }
  }

  const ofEntry = ({ provider, model }: Target, entry: Cooldown): Obstacle => {
    const { state, sinceMs, reason, verdict = '', error } = entry
    const message = state === 'throttled' ? 'It throttles.' : 'It is out of use.'
    const known = error ?? { status_code: null, code: reason, message }
    const blocks = state === 'stopped' ? (isBlockReason(verdict) ? verdict : 'bad_credentials') : null
    return { blocks, isThrottling: state === 'throttled', sinceMs, error: { ...known, provider, model } }
  }

  return target => {
    const { provider, model } = target
    const [whole, part] = [circuits.of(provider), circuits.of(circuitOf(target))]
    const paused = ofPause(target, whole) ?? ofPause(target, part)
    if (paused) return paused
    const entries = cooldowns.current()
    const own = entries.filter(
      ({ scope }) => scope === `provider:${provider}` || scope === `target:${provider}/${model}`,
    )
    const stopped = own.find(({ state }) => state === 'stopped')
    if (stopped) return ofEntry(target, stopped)
    if ((keyRings.get(provider)?.unavailableUntil() ?? 0) > 0) {
      const ofKeys = entries.filter(({ scope }) => scope.startsWith(`key:${provider}#`))
      // Among several keys, the latest stop says most about what is wrong now.
      const key = ofKeys.toSorted((a, b) => b.sinceMs - a.sinceMs)[0]
      if (key) return ofEntry(target, key)
    }
    const absence = ofAbsence(target)
    if (absence) return absence
    const open = ofCircuit(target, whole, outOfOrder) ?? ofCircuit(target, part, outOfOrder)
    if (open) return open
    if (own[0]) return ofEntry(target, own[0])
    return ofCircuit(target, whole, throttled) ?? ofCircuit(target, part, throttled)
  }
}

interface UnavailableReasonDeps {
  readonly circuits: Pick<Circuits, 'of'>
  readonly cooldowns: Pick<Cooldowns, 'current'>
  /** See `Attendance`. */
  readonly withoutWorkerSince: (provider: string) => number
}

/**
 * Why a target is out of use, as the state that `/v1/providers` shows; null when nothing is known against it.
 * Several reasons rank in this order: the operator's pause, what stops all calls, the lack of workers, what
 * stops some calls.
 */
export const createUnavailableReason =
  ({ circuits, cooldowns, withoutWorkerSince }: UnavailableReasonDeps) =>
  (target: KeptTarget): string | null => {
    const { provider, model } = target
    const { state, pausedAtMs } = circuits.of(provider)
    if (pausedAtMs > 0) return 'paused'
    const ofModel = circuits.of(circuitOf(target)).state
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
