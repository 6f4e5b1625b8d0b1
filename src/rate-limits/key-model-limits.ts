import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import type { ApiKey, KeyRing } from '../health/key-ring.ts'
import { type LimitStore, meterName } from './limit-store.ts'
import { createMeter, type Meter, type MeterTerms } from './limiter.ts'

/** As configured, for each key of a provider. */
export interface ConfiguredLimits {
  readonly rpm?: number | undefined
  readonly tpm?: number | undefined
  readonly concurrency?: number | undefined
}

/** One model called with one key, and what limits it. */
export interface Lane {
  readonly key: ApiKey | 'none'
  readonly model: string
  readonly meters: readonly Meter[]
  /** Of the provider's own limits, once it told of any or throttled. */
  readonly learned: Meter | null
  /** Calls under way that began before there was a meter of what the provider tells. */
  uncounted: number
}

/** A provider's lanes in one process. */
export interface Lanes {
  /** Whether anything is limited: else there is nothing to look at. */
  readonly isLimited: boolean
  of(key: ApiKey | 'none', model: string): Lane
  /** The lane's meter of what the provider tells. */
  learn(lane: Lane): Meter
  readonly meters: Iterable<Meter>
  start(): Promise<void>
  stop(): Promise<void>
}

export interface LanesOptions {
  readonly provider: string
  readonly limits: ConfiguredLimits
  readonly keys: KeyRing
  readonly store: LimitStore
  readonly subscriber: Redis
  readonly instance: string
  readonly clock: () => number
  /** Room may have come somewhere. */
  readonly changed: () => void
  readonly log: Logger
}

/** The fingerprint of a provider that needs no key. */
const noKey = 'none'
const fingerprintOf = (key: ApiKey | 'none'): string => (key === 'none' ? noKey : key.fingerprint)

interface OpenLane extends Lane {
  meters: Meter[]
  learned: Meter | null
  uncounted: number
}

export const createLanes = (options: LanesOptions): Lanes => {
  const { provider, limits, keys, store, subscriber } = options
  const meters = new Map<string, Meter>()
  const lanes = new Map<ApiKey | 'none', Map<string, OpenLane>>()

  const open = (name: string, terms: MeterTerms, uncounted: () => number): Meter => {
    const known = meters.get(name)
    if (known) return known
    const meter = createMeter({ ...options, name, terms, uncounted })
    meters.set(name, meter)
    return meter
  }

  const isConfigured = Object.values(limits).some(limit => limit !== undefined)
  const configuredOf = (key: ApiKey | 'none'): Meter[] =>
    isConfigured ? [open(meterName(provider, fingerprintOf(key)), limits, () => 0)] : []

  const learnedName = (key: ApiKey | 'none', model: string): string =>
    meterName(provider, fingerprintOf(key), model)
  const learnedTerms: MeterTerms = {
    belowRpm: limits.rpm,
    belowTpm: limits.tpm,
    most: limits.concurrency,
  }

  const of = (key: ApiKey | 'none', model: string): OpenLane => {
    const ofKey = lanes.get(key) ?? new Map<string, OpenLane>()
    if (ofKey.size === 0) lanes.set(key, ofKey)
    const known = ofKey.get(model)
    if (known) return known
    const learned = meters.get(learnedName(key, model)) ?? null
    const lane = {
      key,
      model,
      meters: [...configuredOf(key), ...(learned ? [learned] : [])],
      learned,
      uncounted: 0,
    }
    ofKey.set(model, lane)
    return lane
  }

  const learn = (lane: OpenLane): Meter => {
    if (lane.learned) return lane.learned
    lane.learned = open(learnedName(lane.key, lane.model), learnedTerms, () => lane.uncounted)
    lane.meters = [...lane.meters, lane.learned]
    return lane.learned
  }

  /** What another process heard counts here as well, from before the first call on. */
  const onNews = (name: string): void => {
    for (const key of keys.inUse()) {
      const begin = `${meterName(provider, fingerprintOf(key))}/`
      if (name.startsWith(begin)) learn(of(key, name.slice(begin.length)))
    }
    meters.get(name)?.refresh()
  }
  const onMessage = (channel: string, name: string): void => {
    if (channel === store.channel && name.startsWith(`${provider}#`)) onNews(name)
  }

  return {
    get isLimited() {
      return meters.size > 0
    },
    of,
    learn: lane => learn(lane as OpenLane),
    get meters() {
      return meters.values()
    },
    start: async () => {
      subscriber.on('message', onMessage)
      await subscriber.subscribe(store.channel)
      for (const key of keys.inUse()) configuredOf(key)
      const own = new Set(keys.inUse().map(fingerprintOf))
      for (const { name, key, model } of await store.read(provider)) {
        // Keys that are no longer in the config are of no interest.
        if (own.has(key) && model !== null) onNews(name)
      }
    },
    stop: async () => {
      subscriber.off('message', onMessage)
      await Promise.all([...meters.values()].map(meter => meter.stop()))
    },
  }
}
