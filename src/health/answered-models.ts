import type { Cluster, Redis } from 'ioredis'
import type { Logger } from 'pino'
import { createRepeating, type Repeating } from '../lifecycle/repeating.ts'
import { createScriptRunner, defineScript } from '../redis/scripts.ts'

/**
 * The models behind wildcards that their provider has answered. Clients choose the names, and may choose any: one that was
 * answered is a model, and has health and limits of its own; all others share those of `*`. So what is kept grows with what a
 * vendor has, and not with what clients write.
 */
export interface AnsweredModels extends Repeating {
  has(provider: string, model: string): boolean
  /** The provider has answered it: known here at once, elsewhere within five seconds. */
  note(provider: string, model: string): void
}

/** So many of a provider have health of their own: more than anybody calls at a time. */
export const mostAnswered = 100
const shareEveryMs = 5_000
/** A model that is answered all the time is noted this often, so that it is not the one that is forgotten. */
const noteEveryMs = 60_000

export const answeredScript = defineScript({
  lua: new URL('./lua/answered.lua', import.meta.url),
  keys: 3,
  whenFull: 'runs',
})

export interface AnsweredModelsOptions {
  readonly redis: Redis | Cluster
  readonly prefix: string
  /** The providers that wildcards lead to. */
  readonly providers: readonly string[]
  /** Some other model has health of its own now, or no longer. */
  readonly changed: () => void
  readonly log: Logger
  readonly now: () => number
}

export const createAnsweredModels = (options: AnsweredModelsOptions): AnsweredModels => {
  const { redis, prefix, providers, changed, log, now } = options
  const run = createScriptRunner(redis)
  const keyOf = (provider: string): string => `${prefix}:{health}:answered:${provider}`
  const known = new Map<string, ReadonlySet<string>>()
  /** When each was noted last. */
  const noted = new Map<string, Map<string, number>>(providers.map(name => [name, new Map()]))
  const owed = new Map<string, Set<string>>(providers.map(name => [name, new Set()]))

  const tell = async (provider: string): Promise<void> => {
    const models = [...owed.get(provider)!]
    if (models.length === 0) return
    await run(answeredScript, [
      ...[keyOf(provider), `${prefix}:{health}:circuits`, `${prefix}:{health}:windows`],
      ...[provider, String(Math.round(now())), String(mostAnswered), ...models],
    ])
    for (const model of models) owed.get(provider)!.delete(model)
  }

  const hear = async (provider: string): Promise<void> => {
    const before = known.get(provider) ?? new Set()
    const told = await redis.zrange(keyOf(provider), '0', '-1')
    // What was answered meanwhile is told with the next turn.
    const after = new Set([...told, ...owed.get(provider)!])
    known.set(provider, after)
    const times = noted.get(provider)!
    for (const model of times.keys()) if (!after.has(model)) times.delete(model)
    if (after.size !== before.size || [...after].some(model => !before.has(model))) changed()
  }

  const share = createRepeating(
    'answered models',
    shareEveryMs,
    async () => {
      for (const provider of providers) {
        await tell(provider)
        await hear(provider)
      }
    },
    log,
  )

  return {
    start: share.start,
    stop: share.stop,
    has: (provider, model) => known.get(provider)?.has(model) ?? false,
    note: (provider, model) => {
      const times = noted.get(provider)
      if (times === undefined || (times.get(model) ?? Number.NEGATIVE_INFINITY) > now() - noteEveryMs) return
      times.set(model, now())
      owed.get(provider)!.add(model)
      if (known.get(provider)?.has(model)) return
      known.set(provider, new Set([...(known.get(provider) ?? []), model]))
      changed()
      share.soon()
    },
  }
}
