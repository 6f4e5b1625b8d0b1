import { createHash } from 'node:crypto'
import type { HealthBoard } from './board.ts'

export interface ApiKey {
  readonly key: string
  /** Names the key in health and logs without telling it. */
  readonly fingerprint: string
}

/** A provider's keys, used in turn; one that was stopped (bad, or out of money) is passed over. */
export interface KeyRing {
  /** The next key in use; `none` when the provider needs no key; null when all are stopped. */
  next(): ApiKey | 'none' | null
  /** All keys in use, the one whose turn it is first. Takes no turn. */
  inUse(): readonly (ApiKey | 'none')[]
  /** Takes a key's turn: the one after it is next. */
  used(key: ApiKey | 'none'): void
  /** Unix ms at which the first stopped key may be tried again; 0 when one may be used now. */
  unavailableUntil(): number
}

const fingerprintOf = (key: string): string => createHash('sha256').update(key).digest('hex').slice(0, 8)

export const createKeyRing = (provider: string, keys: readonly string[], board: HealthBoard): KeyRing => {
  const ring = keys.map(key => ({ key, fingerprint: fingerprintOf(key) }))
  const stoppedUntil = (key: ApiKey): number => board.unavailableKeyUntil(provider, key.fingerprint)
  let turn = 0
  return {
    next: () => {
      if (ring.length === 0) return 'none'
      for (let i = 0; i < ring.length; i++) {
        const key = ring[turn++ % ring.length]!
        if (stoppedUntil(key) === 0) return key
      }
      return null
    },
    inUse: () => {
      if (ring.length === 0) return ['none']
      return ring.map((_, i) => ring[(turn + i) % ring.length]!).filter(key => stoppedUntil(key) === 0)
    },
    used: key => {
      if (key !== 'none') turn = ring.indexOf(key) + 1
    },
    unavailableUntil: () => (ring.length === 0 ? 0 : Math.min(...ring.map(stoppedUntil))),
  }
}
