import type { KeyOrigin } from '../config/keys.ts'
import type { ProviderConfig } from '../config/schema.ts'
import { Interrupt } from '../domain/interrupt.ts'
import type { BreakReason } from '../domain/upstream.ts'
import { createProvider, type Surroundings } from '../providers/create-provider.ts'
import type { KeyStatus, Provider } from '../providers/provider.ts'
import type { OpenConfig } from './open-config.ts'

/**
 * What came of asking a provider with one of its keys. Holds nothing that the provider wrote: that may quote
 * the key. `missing`: there is no key. `unusable`: the key cannot be read. `simulated`: it answers by itself.
 */
export interface KeyCheck {
  readonly standing: KeyStatus | 'missing' | 'unusable' | 'simulated'
  readonly status: number | null
  /** Why there was no answer. */
  readonly reason: BreakReason | null
  readonly latencyMs: number | null
  /** Where a cloud's credentials were found, in words; null where they stand in the config. */
  readonly found: string | null
  /** Why there are none: a sentence of ours, with what to do. */
  readonly fault: string | null
}

/** A list of models never takes longer, and a person waits for the result. */
const timeoutMs = 10_000

const unasked = (standing: KeyCheck['standing']): KeyCheck => ({
  standing,
  status: null,
  reason: null,
  latencyMs: null,
  found: null,
  fault: null,
})

/**
 * Whether a provider cannot be called with it. Too much asked of a key for now does not make it a bad one,
 * nor does a server that has no list of models.
 */
export const isBad = ({ standing }: KeyCheck): boolean =>
  !['ok', 'throttled', 'unclear', 'simulated'].includes(standing)

/**
 * Asks each provider with each of its keys, all at once. Null for settings that only together are a key, but
 * for the first of them. Never throws.
 */
export const checkKeys = async (
  { config: { providers, proxy }, env }: Pick<OpenConfig, 'config' | 'env'>,
  origins: readonly KeyOrigin[],
): Promise<readonly (KeyCheck | null)[]> =>
  Promise.all(
    origins.map(origin => {
      const { provider, setting } = origin
      const together = setting === undefined ? [origin] : origins.filter(o => o.provider === provider)
      if (together[0] !== origin) return null
      if (together.some(({ state }) => state === 'missing')) return unasked('missing')
      const key = setting === undefined ? origin.value : null
      return checkKey(provider, providers[provider]!, key, { ...proxy, env })
    }),
  )

const checkKey = async (
  name: string,
  config: ProviderConfig,
  key: string | null,
  around: Surroundings,
): Promise<KeyCheck> => {
  // The one that comes with Baton is started with it.
  if (config.type === 'simulated' && config.base_url === undefined) return unasked('simulated')
  const opened = openProvider(name, config, around)
  if (opened === null) return unasked('unusable')
  try {
    return await ask(opened, key)
  } finally {
    await opened.close()
  }
}

/** A cloud's credentials first: what keeps them from coming is none of the provider's answers. */
const ask = async (provider: Provider, key: string | null): Promise<KeyCheck> => {
  const proof = await provider.prove?.(new Interrupt())
  if (proof && 'kind' in proof && proof.kind === 'break' && proof.reason === 'credentials')
    return { ...unasked('refused'), reason: proof.reason, fault: (proof.cause as Error).message }
  const found = proof && 'source' in proof ? proof.source : null
  const startedAt = performance.now()
  const { status: standing, outcome } = await provider.check(key, new Interrupt())
  const told = { ...unasked(standing), latencyMs: Math.round(performance.now() - startedAt), found }
  return outcome.kind === 'answer' ? { ...told, status: outcome.status } : { ...told, reason: outcome.reason }
}

/** For a person who waits. Null where its credentials cannot be read. */
export const openProvider = (name: string, config: ProviderConfig, around: Surroundings): Provider | null => {
  try {
    const hurried = {
      ...config,
      timeout: Math.min(config.timeout, timeoutMs),
      connect_timeout: Math.min(config.connect_timeout, timeoutMs),
    }
    return createProvider(name, hurried, Date.now, undefined, around)
  } catch {
    return null
  }
}
