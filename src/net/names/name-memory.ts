import type { NameError } from './ask-servers.ts'

/** What names were found to be, for a while. */
export interface NameMemory {
  /** Null when nothing is known (any more). Throws what the name failed with of late. */
  recall(name: string): readonly string[] | null
  keep(name: string, addresses: readonly string[], ttlMs: number): void
  /**
   * Remembers that a name was not resolved, and throws that; where servers only said nothing, answers what
   * was last known of it (RFC 8767).
   */
  fail(name: string, error: NameError): readonly string[]
}

/**
 * A time to live of 0 is common, and would have each of a thousand deliveries ask; one of a day outlasts a
 * move.
 */
const shortestMs = 1_000
const longestMs = 60_000
/** A name that is not there may be there soon. */
const unknownMs = 5_000
const silentMs = 2_000
const staleMs = 3_600_000
/** A tenant that may name hosts can name any number of them. */
const mostNames = 10_000

interface Known {
  readonly addresses: readonly string[] | null
  readonly error: NameError | null
  readonly freshUntilMs: number
  /** When the addresses were last learned. */
  readonly toldAtMs: number
}

export const createNameMemory = (now: () => number): NameMemory => {
  const names = new Map<string, Known>()

  const set = (name: string, known: Known): void => {
    // Moved to the end, so that the first are those not asked for longest.
    names.delete(name)
    names.set(name, known)
    if (names.size > mostNames) names.delete(names.keys().next().value!)
  }

  return {
    recall: name => {
      const known = names.get(name)
      if (known === undefined || known.freshUntilMs <= now()) return null
      if (known.addresses === null) throw known.error!
      return known.addresses
    },
    keep: (name, addresses, ttlMs) => {
      const freshUntilMs = now() + Math.min(Math.max(ttlMs, shortestMs), longestMs)
      set(name, { addresses, error: null, freshUntilMs, toldAtMs: now() })
    },
    fail: (name, error) => {
      const last = names.get(name)
      if (error.code === 'EAI_AGAIN' && last?.addresses && last.toldAtMs + staleMs > now()) {
        set(name, { ...last, freshUntilMs: now() + silentMs })
        return last.addresses
      }
      const forMs = error.code === 'ENOTFOUND' ? unknownMs : silentMs
      set(name, { addresses: null, error, freshUntilMs: now() + forMs, toldAtMs: 0 })
      throw error
    },
  }
}
