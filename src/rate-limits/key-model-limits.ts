import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import type { ApiKey, KeyRing } from '../health/key-ring.ts'
import { subscribeTo } from '../redis/connect.ts'
import { type LimitStore, limiterName } from './limit-store.ts'
import { createLimiter, type Limiter, type LimiterTerms } from './limiter.ts'

/** As configured, for each key of a provider. */
export interface ConfiguredLimits {
  readonly rpm?: number | undefined
  readonly tpm?: number | undefined
  readonly concurrency?: number | undefined
}

/** One model called with one key, and what limits it. */
export interface KeyModelLimits {
  readonly key: ApiKey | 'none'
  readonly model: string
  readonly limiters: readonly Limiter[]
  /** The limiter of the provider's own limits, once it reported any or throttled a call. */
  readonly learned: Limiter | null
  /** Calls under way that began before `learned` existed. */
  untracked: number
}

/** A provider's keyModels in one process. */
export interface ProviderLimits {
  /** Whether anything is limited: else there is nothing to look at. */
  readonly isLimited: boolean
  of(key: ApiKey | 'none', model: string): KeyModelLimits
  /** The keyModel's limiter of the limits that the provider reports. */
  learn(keyModel: KeyModelLimits): Limiter
  readonly limiters: Iterable<Limiter>
  start(): Promise<void>
  stop(): Promise<void>
}

export interface ProviderLimitsOptions {
  readonly provider: string
  readonly limits: ConfiguredLimits
  /** Whether the calls at once find themselves; else only a 429 limits them. */
  readonly findsConcurrency: boolean
  /** Calls under way from before the target went out of order. */
  readonly outlived: () => number
  readonly keys: KeyRing
  readonly store: LimitStore
  readonly subscriber: Redis
  readonly instance: string
  readonly clock: () => number
  /** Called when some call may no longer have to wait. */
  readonly changed: () => void
  readonly log: Logger
}

/** Slow start begins with so many calls at once of a key and model, over all processes. */
export const firstCalls = 16
/** The fingerprint of a provider that needs no key. */
const noKey = 'none'
const fingerprintOf = (key: ApiKey | 'none'): string => (key === 'none' ? noKey : key.fingerprint)

interface OpenKeyModelLimits extends KeyModelLimits {
  limiters: Limiter[]
  learned: Limiter | null
  untracked: number
}

export const createProviderLimits = (options: ProviderLimitsOptions): ProviderLimits => {
  const { provider, limits, keys, store, subscriber } = options
  const limiters = new Map<string, Limiter>()
  const keyModels = new Map<ApiKey | 'none', Map<string, OpenKeyModelLimits>>()

  const open = (name: string, terms: LimiterTerms, untracked: () => number): Limiter => {
    const known = limiters.get(name)
    if (known) return known
    const limiter = createLimiter({ ...options, name, terms, untracked })
    limiters.set(name, limiter)
    return limiter
  }

  const isConfigured = Object.values(limits).some(limit => limit !== undefined)
  const configuredOf = (key: ApiKey | 'none'): Limiter[] =>
    isConfigured
      ? [open(limiterName(provider, fingerprintOf(key)), { ...limits, learns: false }, () => 0)]
      : []

  const learnedName = (key: ApiKey | 'none', model: string): string =>
    limiterName(provider, fingerprintOf(key), model)
  const learnedTerms: LimiterTerms = {
    learns: true,
    first: options.findsConcurrency ? firstCalls : undefined,
    belowRpm: limits.rpm,
    belowTpm: limits.tpm,
    most: limits.concurrency,
  }

  const of = (key: ApiKey | 'none', model: string): OpenKeyModelLimits => {
    const byModel = keyModels.get(key) ?? new Map<string, OpenKeyModelLimits>()
    if (byModel.size === 0) keyModels.set(key, byModel)
    const known = byModel.get(model)
    if (known) return known
    const untracked = (): number => keyModel.untracked
    const learned = options.findsConcurrency
      ? open(learnedName(key, model), learnedTerms, untracked)
      : (limiters.get(learnedName(key, model)) ?? null)
    const keyModel: OpenKeyModelLimits = {
      key,
      model,
      limiters: [...configuredOf(key), ...(learned ? [learned] : [])],
      learned,
      untracked: 0,
    }
    byModel.set(model, keyModel)
    return keyModel
  }

  const learn = (keyModel: OpenKeyModelLimits): Limiter => {
    if (keyModel.learned) return keyModel.learned
    keyModel.learned = open(learnedName(keyModel.key, keyModel.model), learnedTerms, () => keyModel.untracked)
    keyModel.limiters = [...keyModel.limiters, keyModel.learned]
    return keyModel.learned
  }

  /** What another process heard counts here as well, from before the first call on. */
  const onNews = (name: string): void => {
    for (const key of keys.inUse()) {
      const begin = `${limiterName(provider, fingerprintOf(key))}/`
      if (name.startsWith(begin)) learn(of(key, name.slice(begin.length)))
    }
    limiters.get(name)?.refresh()
  }
  let unsubscribe = (): void => undefined

  return {
    get isLimited() {
      return options.findsConcurrency || limiters.size > 0
    },
    of,
    learn: keyModel => learn(keyModel as OpenKeyModelLimits),
    get limiters() {
      return limiters.values()
    },
    start: async () => {
      unsubscribe = await subscribeTo(subscriber, store.channel, name => {
        if (name.startsWith(`${provider}#`)) onNews(name)
      })
      for (const key of keys.inUse()) configuredOf(key)
      const own = new Set(keys.inUse().map(fingerprintOf))
      for (const { name, key, model } of await store.read(provider)) {
        // Keys that are no longer in the config are of no interest.
        if (own.has(key) && model !== null) onNews(name)
      }
    },
    stop: async () => {
      unsubscribe()
      await Promise.all([...limiters.values()].map(limiter => limiter.stop()))
    },
  }
}
