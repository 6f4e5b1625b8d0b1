import { createHash } from 'node:crypto'
import { chanceOf } from '../domain/routing/strategy.ts'
import type { Cooldowns, Scope } from './cooldowns.ts'

export interface ApiKey {
  readonly key: string
  /** Names the key in health and logs without telling it. */
  readonly fingerprint: string
}

/** A key that is wanted: by its fingerprint, else always the same for the same `id`. */
export interface WantedKey {
  readonly key: string | null
  readonly id: string
}

/** A provider's keys, used in turn; one that was stopped (bad, or out of money) is passed over. */
export interface KeyRing {
  readonly size: number
  /** Whether a key of this fingerprint is among them. */
  has(fingerprint: string): boolean
  /** The next key in use; `none` when the provider needs no key; null when all are stopped. */
  next(): ApiKey | 'none' | null
  /** All keys in use, the one whose turn it is first. Takes no turn. */
  inUse(): readonly (ApiKey | 'none')[]
  /** Takes a key's turn: the one after it is next. */
  used(key: ApiKey | 'none'): void
  /** The key that is wanted, in use or not. */
  wanted(wanted: WantedKey): ApiKey | 'none'
  /** What is stopped with a key; for `none` an identity, or the whole provider where nothing is shown. */
  scopeOf(key: ApiKey | 'none'): Scope
  /** Unix ms until which a key is stopped; 0 when it is in use. */
  stoppedUntil(key: ApiKey | 'none'): number
  /** Unix ms at which the first stopped key may be tried again; 0 when one may be used now. */
  unavailableUntil(): number
}

export const fingerprintOf = (key: string): string =>
  createHash('sha256').update(key).digest('hex').slice(0, 8)

/** `identity`: see `identityOf`. It is stopped like a key, and by its fingerprint: another one of the same provider is not. */
export const createKeyRing = (
  provider: string,
  keys: readonly string[],
  cooldowns: Cooldowns,
  identity: string | null = null,
): KeyRing => {
  const ring = keys.map(key => ({ key, fingerprint: fingerprintOf(key) }))
  const stoppedUntil = (key: ApiKey | 'none'): number => {
    const fingerprint = key === 'none' ? identity : key.fingerprint
    return fingerprint === null ? 0 : cooldowns.unavailableKeyUntil(provider, fingerprint)
  }
  let turn = 0
  return {
    size: ring.length,
    has: fingerprint => ring.some(key => key.fingerprint === fingerprint),
    wanted: ({ key: fingerprint, id }) => {
      const chance = chanceOf(id)
      const [first] = ring.toSorted((a, b) => chance(b.fingerprint) - chance(a.fingerprint))
      return ring.find(key => key.fingerprint === fingerprint) ?? first ?? 'none'
    },
    stoppedUntil,
    scopeOf: key => {
      const fingerprint = key === 'none' ? identity : key.fingerprint
      return fingerprint === null ? `provider:${provider}` : `key:${provider}#${fingerprint}`
    },
    next: () => {
      if (ring.length === 0) return stoppedUntil('none') === 0 ? 'none' : null
      for (let i = 0; i < ring.length; i++) {
        const key = ring[turn++ % ring.length]!
        if (stoppedUntil(key) === 0) return key
      }
      return null
    },
    inUse: () => {
      if (ring.length === 0) return stoppedUntil('none') === 0 ? ['none'] : []
      return ring.map((_, i) => ring[(turn + i) % ring.length]!).filter(key => stoppedUntil(key) === 0)
    },
    used: key => {
      if (key !== 'none') turn = ring.indexOf(key) + 1
    },
    unavailableUntil: () => (ring.length === 0 ? stoppedUntil('none') : Math.min(...ring.map(stoppedUntil))),
  }
}
