import type { Cooldowns } from './cooldowns.ts'
import type { KeyRing } from './key-ring.ts'

/** Stops of a provider that are none any more, though jobs are parked until they were to be tried again. */
export interface LiftedStops {
  /** Their scopes, as of now, and until when they were to last, in Unix ms. */
  read(): ReadonlyMap<string, number>
}

export interface LiftedStopsOptions {
  readonly provider: string
  readonly cooldowns: Pick<Cooldowns, 'current'>
  readonly keys: Pick<KeyRing, 'has'>
  readonly now: () => number
}

/**
 * A stop of all of a provider, or of one of its models, is over when it is gone before its time: it was lifted. That of a key is
 * over for whoever has another in its place, after a reload or a restart, and stands for the others.
 */
export const createLiftedStops = ({ provider, cooldowns, keys, now }: LiftedStopsOptions): LiftedStops => {
  const ofKey = `key:${provider}#`
  const lifted = new Map<string, number>()
  let stood = new Map<string, number>()

  return {
    read: () => {
      const stops = cooldowns.current().filter(({ state }) => state === 'stopped')
      const stands = new Map<string, number>(
        stops
          .filter(({ scope }) => scope === `provider:${provider}` || scope.startsWith(`target:${provider}/`))
          .map(({ scope, untilMs }) => [scope, untilMs]),
      )
      for (const [scope, untilMs] of stood) if (!stands.has(scope)) lifted.set(scope, untilMs)
      stood = stands
      for (const { scope, untilMs } of stops) {
        if (scope.startsWith(ofKey) && !keys.has(scope.slice(ofKey.length))) lifted.set(scope, untilMs)
      }
      for (const [scope, untilMs] of lifted) if (stands.has(scope) || untilMs <= now()) lifted.delete(scope)
      return lifted
    },
  }
}
