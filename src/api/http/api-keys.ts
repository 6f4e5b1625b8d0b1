import { createHash, timingSafeEqual } from 'node:crypto'
import type { Config } from '../../config/schema.ts'
import type { Role } from '../../domain/access.ts'

export interface KeyHolder {
  readonly tenant: string
  readonly role: Role
  readonly name?: string | undefined
  /** Names the key without disclosing it. */
  readonly keyId: string
}

export interface ApiKeys {
  readonly isEmpty: boolean
  /** Whose key this is, or null. */
  holderOf(candidate: string): KeyHolder | null
  /** The holder of a key that the config still has. */
  holderById(keyId: string): KeyHolder | null
}

/**
 * Hashes make all keys equally long, and every one is compared: the time taken discloses nothing. `keysNow` are those of
 * now, where a reload may change them.
 */
export const createApiKeys = (
  apiKeys: Config['api_keys'],
  keysNow: () => Config['api_keys'] = () => apiKeys,
): ApiKeys => {
  let known = apiKeys
  let hashed = hashKeys(known)
  const keys = () => {
    if (known !== keysNow()) {
      known = keysNow()
      hashed = hashKeys(known)
    }
    return hashed
  }
  return {
    isEmpty: apiKeys.length === 0,
    holderOf: candidate => {
      const hash = sha256(candidate)
      let found: KeyHolder | null = null
      for (const key of keys()) if (timingSafeEqual(key.hash, hash)) found = key.holder
      return found
    },
    holderById: keyId => keys().find(({ holder }) => holder.keyId === keyId)?.holder ?? null,
  }
}

const hashKeys = (apiKeys: Config['api_keys']) =>
  apiKeys.map(({ key, ...holder }) => {
    const hash = sha256(key)
    return { hash, holder: { ...holder, keyId: hash.toString('hex').slice(0, 8) } }
  })

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()
