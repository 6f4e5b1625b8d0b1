import { Interrupt } from '../domain/interrupt.ts'
import type { KeyRing } from '../health/key-ring.ts'
import type { Providers } from './routes.ts'

/** The names of a provider's models, as it lists them; null where it has no list, or none that came. */
export type ModelLists = (provider: string) => Promise<readonly string[] | null>

export interface ModelListsDeps {
  readonly providers: Providers
  readonly keyRings: ReadonlyMap<string, Pick<KeyRing, 'next'>>
  readonly now: () => number
}

const keptMs = 5 * 60_000
/** After a failure, an older list serves on, and it is asked again after this. */
const againMs = 30_000
/** A client waits for it. */
const timeoutMs = 5_000

interface Kept {
  readonly names: Promise<readonly string[] | null>
  untilMs: number
}

/**
 * Asks a provider for its models when a client wants to know them, at most once in five minutes in each process, and never where
 * nobody does. What fails leaves the list out, and says nothing of the provider's health.
 */
export const createModelLists = ({ providers, keyRings, now }: ModelListsDeps): ModelLists => {
  const kept = new Map<string, Kept>()

  const ask = async (name: string): Promise<readonly string[] | null> => {
    const key = keyRings.get(name)?.next() ?? null
    const list = providers.get(name)?.listModels
    if (key === null || list === undefined) return null
    const interrupt = new Interrupt()
    const timer = setTimeout(() => interrupt.abort('timeout'), timeoutMs)
    try {
      return await list(key === 'none' ? null : key.key, interrupt)
    } finally {
      clearTimeout(timer)
    }
  }

  return name => {
    const last = kept.get(name)
    if (last !== undefined && last.untilMs > now()) return last.names
    const entry: Kept = {
      untilMs: now() + keptMs,
      names: ask(name).then(names => {
        if (names === null) entry.untilMs = now() + againMs
        return names ?? last?.names ?? null
      }),
    }
    kept.set(name, entry)
    return entry.names
  }
}
