import type { Cluster, Redis } from 'ioredis'
import type { Pace } from '../domain/rate-limit-headers.ts'
import { createScriptRunner, defineScript } from '../redis/scripts.ts'

/** What a process asks of a limiter, and what it reports. An absent value is not known, or not limited. */
export interface LeaseRequest {
  /** Configured, and held by this limiter. */
  readonly rpm?: number | undefined
  readonly tpm?: number | undefined
  readonly concurrency?: number | undefined
  /**
   * A limit that was learned counts where it is lower than this: another limiter holds the configured one.
   */
  readonly belowRpm?: number | undefined
  readonly belowTpm?: number | undefined
  /** The adaptive ceiling is never higher. */
  readonly most?: number | undefined
  readonly slots: number
  readonly tokens: number
  /** The tokens of the next request: at least this many are leased. */
  readonly leastTokens: number
  /** Calls under way. */
  readonly calling: number
  readonly waiting: number
  /** Concurrent calls to keep in hand for jobs that have yet to come. */
  readonly spare: number
  /** Tokens used beyond what was estimated; negative where it was less. */
  readonly spent: number
  /** Whether calls succeeded since the last time. */
  readonly succeeded: boolean
  /** The epoch in which a throttled call began; -1 when no call was throttled. */
  readonly throttled: number
  readonly blockMs: number
  readonly told?: ReportedNow | undefined
  readonly pace?: Pace | undefined
  readonly tokenPace?: Pace | undefined
}

export interface ReportedNow {
  readonly requests?: number | undefined
  readonly tokens?: number | undefined
  readonly remaining?: number | undefined
  readonly remainingTokens?: number | undefined
}

/** Times are ms from when the script ran. */
export interface Lease {
  /** Grows with each halving of the ceiling. */
  readonly epoch: number
  readonly blockedMs: number
  /** Calls that may be made: one at `firstMs`, and one each `everyMs` after it. */
  readonly slots: number
  readonly firstMs?: number
  /** Present where requests are limited. */
  readonly everyMs?: number
  /** When there will be more. */
  readonly nextMs?: number
  readonly tokens?: number
  readonly tokensMs?: number
  /** Present where tokens are limited. */
  readonly nextTokensMs?: number
  /** Calls at once for this process; present where they are limited. */
  readonly share?: number
}

/** What the cluster knows of one limiter. */
export interface LimiterView {
  readonly name: string
  /** The key's fingerprint; `none` where the provider needs no key. */
  readonly key: string
  /** Null for a limit of the key over all models. */
  readonly model: string | null
  /** As last reported by the provider; null when it never did. */
  readonly rpm: number | null
  readonly tpm: number | null
  readonly remainingRequests: number | null
  readonly remainingTokens: number | null
  readonly toldAtMs: number | null
  readonly callsInFlight: number
  /** The adaptive ceiling of calls at once; null while nothing was throttled. */
  readonly ceiling: number | null
  readonly blockedUntilMs: number | null
}

/** The limiters in Redis: the truth, and the only place where anything is leased. */
export interface LimitStore {
  readonly channel: string
  lease(limiter: string, process: string, request: LeaseRequest): Promise<Lease>
  /** Ends the cooldown of a provider's keys, in spite of what the provider asked for. */
  unblock(provider: string): Promise<void>
  /** Every limiter of a provider. */
  read(provider: string): Promise<readonly LimiterView[]>
}

const partsOf = (name: string): { readonly key: string; readonly model: string | null } => {
  const [, key = '', model = null] = /^[^#]*#([^/]*)(?:\/(.*))?$/s.exec(name) ?? []
  return { key, model }
}

/**
 * The name of a limiter of a key, or of one model called with it. Provider names hold no `#`, fingerprints no
 * `/`.
 */
export const limiterName = (provider: string, fingerprint: string, model?: string): string =>
  `${provider}#${fingerprint}${model === undefined ? '' : `/${model}`}`

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url)

export const limitScripts = {
  lease: defineScript({ lua: lua('lease'), keys: 2, whenFull: 'runs' }),
  unblock: defineScript({ lua: lua('unblock'), keys: 1, whenFull: 'runs' }),
} as const

/** As the script keeps it. */
interface LimiterRecord {
  readonly base: number
  readonly at: number
  readonly rpm?: number
  readonly tpm?: number
  readonly remaining?: number
  readonly remainingTokens?: number
  readonly toldAt?: number
  readonly ceiling?: number
  readonly blockedUntil: number
  readonly procs: Readonly<Record<string, { readonly at: number; readonly calling: number }>>
}

const silentAfterMs = 5_000

export const createLimitStore = (redis: Redis | Cluster, prefix: string): LimitStore => {
  const keyOf = (limiter: string): string => `${prefix}:{limits}:${limiter}`
  const names = `${prefix}:{limits}:names`
  const channel = `${prefix}:limits`
  const run = createScriptRunner(redis)

  const viewOf = (name: string, record: LimiterRecord, nowMs: number): LimiterView => {
    const since = (ms: number): number => Math.round(record.base + ms)
    const lively = Object.values(record.procs).filter(({ at }) => nowMs - since(at) < silentAfterMs)
    return {
      name,
      ...partsOf(name),
      rpm: record.rpm ?? null,
      tpm: record.tpm ?? null,
      remainingRequests: record.remaining ?? null,
      remainingTokens: record.remainingTokens ?? null,
      toldAtMs: record.toldAt === undefined ? null : since(record.toldAt),
      callsInFlight: lively.reduce((sum, { calling }) => sum + calling, 0),
      ceiling: record.ceiling === undefined ? null : Math.floor(record.ceiling),
      blockedUntilMs: since(record.blockedUntil) > nowMs ? since(record.blockedUntil) : null,
    }
  }

  return {
    channel,
    lease: async (limiter, process, request) =>
      JSON.parse(
        (await run(limitScripts.lease, [
          keyOf(limiter),
          names,
          limiter,
          channel,
          process,
          JSON.stringify(request),
        ])) as string,
      ) as Lease,
    unblock: async provider => {
      const own = (await redis.smembers(names)).filter(name => name.startsWith(`${provider}#`))
      await Promise.all(own.map(name => run(limitScripts.unblock, [keyOf(name), name, channel])))
    },
    read: async provider => {
      const [all, [seconds, micros]] = await Promise.all([redis.smembers(names), redis.time()])
      const own = all.filter(name => name.startsWith(`${provider}#`)).toSorted()
      if (own.length === 0) return []
      const nowMs = Number(seconds) * 1_000 + Number(micros) / 1_000
      const records = await redis.mget(own.map(keyOf))
      const forgotten = own.filter((_, i) => records[i] === null)
      if (forgotten.length > 0) await redis.srem(names, ...forgotten)
      return own.flatMap((name, i) => {
        const text = records[i]
        return text ? [viewOf(name, JSON.parse(text) as LimiterRecord, nowMs)] : []
      })
    },
  }
}
