import type { Cluster, Redis } from 'ioredis'
import type { Pace } from '../domain/rate-limit-headers.ts'
import { createScriptRunner, defineScript, type Script } from '../redis/scripts.ts'
import { type HeldBy, type LimiterView, limiterViewOf } from './limiter-view.ts'

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
  /** Whether it learns from 429s what else the provider limits. */
  readonly learns: boolean
  /** The ceiling of calls at once that finds itself begins here; absent for one that only a 429 sets. */
  readonly first?: number | undefined
  /** That ceiling is never higher. */
  readonly most?: number | undefined
  /** Whether a limit is configured or was told: then the ceiling holds nothing until a number at once was met. */
  readonly isTold: boolean
  /** Whether it keeps to a rate that was learned: until then the ceiling holds. */
  readonly isRated: boolean
  /** For calls that wait, and for those that are expected. */
  readonly slots: number
  readonly spareSlots: number
  readonly tokens: number
  /** The tokens of the next request: at least this many are leased. */
  readonly leastTokens: number
  /** Calls under way. */
  readonly calling: number
  /** The most that were under way since the last time. */
  readonly peak: number
  readonly waiting: number
  /** Concurrent calls to keep in hand for jobs that have yet to come. */
  readonly spare: number
  /** Tokens used beyond what was estimated; negative where it was less. */
  readonly spent: number
  /** Since the last time: calls begun, calls answered, and how long these took in all, in ms. */
  readonly begun: number
  readonly ok: number
  readonly tookMs: number
  /** Calls that were throttled, and whether the provider said that it had too much to do. */
  readonly turnedAway: number
  readonly overloaded: boolean
  /** The epoch in which such a call began; -1 when there was none. */
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

/** Times are ms from when the scripts ran. */
export interface Lease {
  /** Grows with each episode of throttling. */
  readonly epoch: number
  readonly blockedMs: number
  /** Processes that want calls, this one included. */
  readonly active: number
  /** The ceiling of calls at once as it was found, held or not. */
  readonly ceiling?: number
  /** Whether requests are limited by a rate that 429s taught. */
  readonly isRated: boolean
  /** Calls at once for this process; present where they are limited. */
  readonly share?: number
  /** Whether that limit is still being found, and no 429 has set it. */
  readonly isStarting?: boolean
  /** Calls that may be made now, and those that may be made later: one at `firstMs`, and one each `everyMs` after it. */
  readonly atOnce?: number
  readonly slots?: number
  readonly firstMs?: number
  /** Present where requests are limited. */
  readonly everyMs?: number
  /** When there will be more. */
  readonly nextMs?: number
  readonly by?: HeldBy
  readonly tokens?: number
  readonly tokensMs?: number
  /** Present where tokens are limited. */
  readonly nextTokensMs?: number
}

/** Which of the scripts have something to do beside that of calls at once. */
export interface LeaseParts {
  readonly requests: boolean
  readonly tokens: boolean
}

/** The limiters in Redis: the truth, and the only place where anything is leased. */
export interface LimitStore {
  readonly channel: string
  /** All scripts that have something to do go out in one turn. */
  lease(limiter: string, process: string, request: LeaseRequest, parts: LeaseParts): Promise<Lease>
  /** Ends the cooldown of a provider's keys, in spite of what the provider asked for. */
  unblock(provider: string): Promise<void>
  /** Every limiter of a provider. */
  read(provider: string): Promise<readonly LimiterView[]>
}

/**
 * The name of a limiter of a key, or of one model called with it. Provider names hold no `#`, fingerprints no
 * `/`.
 */
export const limiterName = (provider: string, fingerprint: string, model?: string): string =>
  `${provider}#${fingerprint}${model === undefined ? '' : `/${model}`}`

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url)

const onLimiter = { keys: 2, whenFull: 'runs' } as const

export const limitScripts = {
  requests: defineScript({ ...onLimiter, lua: lua('requests') }),
  tokens: defineScript({ ...onLimiter, lua: lua('tokens') }),
  concurrency: defineScript({ ...onLimiter, lua: lua('concurrency') }),
  unblock: defineScript({ lua: lua('unblock'), keys: 1, whenFull: 'runs' }),
} as const

const nothingKnown = {}

export const createLimitStore = (redis: Redis | Cluster, prefix: string): LimitStore => {
  const keyOf = (limiter: string): string => `${prefix}:{limits}:of:${limiter}`
  const names = `${prefix}:{limits}:names`
  const channel = `${prefix}:limits`
  const run = createScriptRunner(redis)

  return {
    channel,
    lease: async (limiter, process, request, parts) => {
      const args = [keyOf(limiter), names, process, JSON.stringify(request), limiter, channel]
      const ask = async (script: Script): Promise<object> => JSON.parse((await run(script, args)) as string)
      // What was seen comes first: the others go by what it taught.
      const replies = await Promise.all([
        ask(limitScripts.concurrency),
        parts.requests ? ask(limitScripts.requests) : nothingKnown,
        parts.tokens ? ask(limitScripts.tokens) : nothingKnown,
      ])
      return Object.assign({}, ...replies) as Lease
    },
    unblock: async provider => {
      const own = (await redis.smembers(names)).filter(name => name.startsWith(`${provider}#`))
      await Promise.all(own.map(name => run(limitScripts.unblock, [keyOf(name), name, channel])))
    },
    read: async provider => {
      const [all, [seconds, micros]] = await Promise.all([redis.smembers(names), redis.time()])
      const own = all.filter(name => name.startsWith(`${provider}#`)).toSorted()
      const nowMs = Number(seconds) * 1_000 + Number(micros) / 1_000
      const records = await Promise.all(own.map(name => redis.hgetall(keyOf(name))))
      const forgotten = own.filter((_, i) => records[i]!.concurrency === undefined)
      if (forgotten.length > 0) await redis.srem(names, ...forgotten)
      return own.flatMap((name, i) =>
        records[i]!.concurrency === undefined ? [] : [limiterViewOf(name, records[i]!, nowMs)],
      )
    },
  }
}
