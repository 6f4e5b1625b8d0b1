import type { Cluster, Redis } from 'ioredis'
import type { Logger } from 'pino'
import type { VerdictKind } from '../domain/classify/verdict.ts'
import type { LastError, Target } from '../domain/job.ts'
import { subscribeTo } from '../redis/connect.ts'
import { createScriptRunner, defineScript } from '../redis/scripts.ts'

/** What is out of use: all of a provider, one model on it, or one of its keys (by fingerprint). */
export type Scope = `provider:${string}` | `target:${string}/${string}` | `key:${string}#${string}`

/**
 * `throttled`: until the time that the provider named.
 * `stopped`: bad key, no money or no such model: a person must act; tried again now and then.
 */
export type CooldownState = 'throttled' | 'stopped'

export interface Cooldown {
  readonly scope: Scope
  readonly state: CooldownState
  readonly untilMs: number
  readonly sinceMs: number
  /** The verdict's reason: a short code. */
  readonly reason: string
  readonly verdict?: VerdictKind
  /** The provider's own error, for the operator; never for a log. */
  readonly error?: LastError
}

/** The verdict behind a cooldown, and the provider's error. */
export type Grounds = Pick<Cooldown, 'verdict' | 'error'>

/** What the cluster knows of its providers. Read from memory, kept up by pub/sub, the truth is in Redis. */
export interface Cooldowns {
  start(): Promise<void>
  stop(): Promise<void>
  /** Unix ms until which a target is known to be out of use; 0 when nothing is known against it. */
  unavailableUntil(target: Target): number
  unavailableKeyUntil(provider: string, fingerprint: string): number
  /**
   * Keeps a scope out of use; known here at once, elsewhere within a publish. Never throws: health is advice.
   */
  suspend(scope: Scope, state: CooldownState, untilMs: number, reason: string, grounds?: Grounds): void
  /** Ends the cooldowns of a provider, its models and its keys, because an operator asks for it. */
  lift(provider: string): Promise<void>
  /** Entries still in force. */
  current(): readonly Cooldown[]
}

/**
 * Every 429 of a storm moves the time a little. It is published when it has moved by a tenth of what is left,
 * or by this: other processes may call too early by as much, and then get a 429 of their own.
 */
const longestSlackMs = 250
/** Clients name the models behind wildcards, and each has an entry while it is left alone. */
export const mostEntries = 1_000

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url)

export const cooldownScripts = {
  suspend: defineScript({ lua: lua('indict'), keys: 1, whenFull: 'runs' }),
  lift: defineScript({ lua: lua('lift'), keys: 1, whenFull: 'runs' }),
} as const

/** Whether a scope is a provider, one of its models, or one of its keys. */
const isOf = (provider: string, scope: string): boolean =>
  scope === `provider:${provider}` ||
  scope.startsWith(`target:${provider}/`) ||
  scope.startsWith(`key:${provider}#`)

export interface CooldownsOptions {
  readonly redis: Redis | Cluster
  readonly subscriber: Redis
  readonly prefix: string
  readonly log: Logger
  readonly now: () => number
}

export const createCooldowns = ({ redis, subscriber, prefix, log, now }: CooldownsOptions): Cooldowns => {
  const key = `${prefix}:{health}:board`
  const channel = `${prefix}:health`
  const run = createScriptRunner(redis)
  let unsubscribe = (): void => undefined
  const entries = new Map<string, Cooldown>()
  /** Until when each scope is suspended, as last published by this process. */
  const sharedUntil = new Map<string, number>()

  const learn = (entry: Cooldown): void => {
    const known = entries.get(entry.scope)
    if (known && known.untilMs >= entry.untilMs) return
    entries.set(entry.scope, entry)
    if (entries.size > mostEntries) makeRoom()
  }

  /** As the script does in Redis. */
  const makeRoom = (): void => {
    const drop = (scope: string): void => {
      entries.delete(scope)
      sharedUntil.delete(scope)
    }
    for (const { scope, untilMs } of [...entries.values()]) if (untilMs <= now()) drop(scope)
    const models = [...entries.values()].filter(({ scope }) => scope.startsWith('target:'))
    const soonest = models.toSorted((a, b) => a.untilMs - b.untilMs)
    // By some more than there are too many, so that this is not done for each.
    const excess = entries.size - mostEntries
    if (excess > 0) for (const { scope } of soonest.slice(0, excess + mostEntries / 10)) drop(scope)
  }

  const forget = (provider: string): void => {
    for (const map of [entries, sharedUntil]) {
      for (const scope of map.keys()) if (isOf(provider, scope)) map.delete(scope)
    }
  }

  const load = async (): Promise<void> => {
    for (const text of Object.values(await redis.hgetall(key))) learn(JSON.parse(text) as Cooldown)
  }

  const untilOf = (scope: Scope): number => entries.get(scope)?.untilMs ?? 0

  const onNews = (text: string): void => {
    const news = JSON.parse(text) as Cooldown | { readonly lifted: string }
    if ('lifted' in news) forget(news.lifted)
    else learn(news)
  }
  // What was published while the connection was down is read from the cooldowns.
  const onReady = (): void =>
    void load().catch(error => log.warn({ event: 'cooldowns.read_failed', err: error }, 'cooldowns not read'))

  const write = async (entry: Cooldown): Promise<void> => {
    await run(cooldownScripts.suspend, [
      key,
      entry.scope,
      entry.untilMs,
      now(),
      JSON.stringify(entry),
      channel,
      mostEntries,
    ])
  }

  return {
    start: async () => {
      subscriber.on('ready', onReady)
      unsubscribe = await subscribeTo(subscriber, channel, onNews)
      await load()
    },
    stop: async () => {
      unsubscribe()
      subscriber.off('ready', onReady)
    },
    unavailableUntil: ({ provider, model }) => {
      const untilMs = Math.max(untilOf(`provider:${provider}`), untilOf(`target:${provider}/${model}`))
      return untilMs > now() ? untilMs : 0
    },
    unavailableKeyUntil: (provider, fingerprint) => {
      const untilMs = untilOf(`key:${provider}#${fingerprint}`)
      return untilMs > now() ? untilMs : 0
    },
    suspend: (scope, state, untilMs, reason, grounds) => {
      const known = entries.get(scope)
      const nowMs = now()
      if (untilMs <= nowMs || (known && known.untilMs >= untilMs)) return
      const isMore = !known || known.untilMs <= nowMs || known.state !== state
      const sinceMs = isMore ? nowMs : known.sinceMs
      const entry: Cooldown = { scope, state, untilMs: Math.round(untilMs), sinceMs, reason, ...grounds }
      learn(entry)
      if (
        !isMore &&
        untilMs - (sharedUntil.get(scope) ?? 0) < Math.min(longestSlackMs, (untilMs - nowMs) / 10)
      )
        return
      sharedUntil.set(scope, entry.untilMs)
      // A stopped key or model needs a person; throttling passes without one.
      log[state === 'stopped' ? 'error' : 'warn'](
        { event: 'provider.suspended', scope, state, untilMs: entry.untilMs, reason },
        'provider, model or key suspended',
      )
      write(entry).catch(error =>
        log.warn({ event: 'cooldown.publish_failed', err: error, scope }, 'cooldown not published'),
      )
    },
    lift: async provider => {
      await run(cooldownScripts.lift, [key, provider, channel])
      forget(provider)
    },
    current: () => [...entries.values()].filter(entry => entry.untilMs > now()),
  }
}
