import type { KeyOrigin } from '../config/keys.ts'
import type { Config, ProviderConfig } from '../config/schema.ts'
import { Interrupt } from '../domain/interrupt.ts'
import type { BreakReason } from '../domain/upstream.ts'
import { createProvider } from '../providers/create-provider.ts'
import type { KeyStatus, Provider } from '../providers/provider.ts'

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
}

/** A list of models never takes longer, and a person waits for the result. */
const timeoutMs = 10_000

const unasked = (standing: KeyCheck['standing']): KeyCheck => ({
  standing,
  status: null,
  reason: null,
  latencyMs: null,
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
  { providers, proxy }: Config,
  origins: readonly KeyOrigin[],
): Promise<readonly (KeyCheck | null)[]> =>
  Promise.all(
    origins.map(origin => {
      const { provider, setting } = origin
      const together = setting === undefined ? [origin] : origins.filter(o => o.provider === provider)
      if (together[0] !== origin) return null
      if (together.some(({ state }) => state === 'missing')) return unasked('missing')
      return checkKey(provider, providers[provider]!, setting === undefined ? origin.value : null, proxy)
    }),
  )

const checkKey = async (
  name: string,
  config: ProviderConfig,
  key: string | null,
  proxy: Config['proxy'],
): Promise<KeyCheck> => {
  // The one that comes with Baton is started with it.
  if (config.type === 'simulated' && config.base_url === undefined) return unasked('simulated')
  const opened = open(name, config, proxy)
  if (opened === null) return unasked('unusable')
  const startedAt = performance.now()
  const { status: standing, outcome } = await opened.check(key, new Interrupt())
  const latencyMs = Math.round(performance.now() - startedAt)
  await opened.close()
  return outcome.kind === 'answer'
    ? { standing, status: outcome.status, reason: null, latencyMs }
    : { standing, status: null, reason: outcome.reason, latencyMs }
}

/** Null where its credentials cannot be read. */
const open = (name: string, config: ProviderConfig, proxy: Config['proxy']): Provider | null => {
  try {
    const hurried = {
      ...config,
      timeout: Math.min(config.timeout, timeoutMs),
      connect_timeout: Math.min(config.connect_timeout, timeoutMs),
    }
    return createProvider(name, hurried, Date.now, undefined, proxy)
  } catch {
    return null
  }
}
