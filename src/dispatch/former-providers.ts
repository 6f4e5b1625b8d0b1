import type { ProcessHeartbeat, WorkerHeartbeat } from '../health/heartbeats.ts'
import type { RedisClient } from '../redis/connect.ts'

export interface FormerProvidersDeps {
  readonly redis: Pick<RedisClient, 'sadd' | 'smembers'>
  /** The set of all names that a config ever had here. */
  readonly key: string
  /** Those of the config of this process. */
  readonly names: readonly string[]
  /** Which config this process runs on, as heartbeats tell it. */
  readonly version: string
  readonly processes: () => Promise<readonly Pick<ProcessHeartbeat, 'config'>[]>
  readonly workers: () => Promise<readonly Pick<WorkerHeartbeat, 'provider'>[]>
  readonly now: () => number
}

const lookEveryMs = 10_000
/** For so long every look must have found the same: after an outage of Redis, heartbeats come back one by one. */
const settledAfterMs = 30_000
/** Whoever did not look for longer was frozen, or could not, and begins to observe afresh. */
const gapMs = 25_000

/**
 * Finds the providers whose queues nobody will ever serve, by their names: those of earlier configs that the present one has
 * not. None as long as any live process runs on another config: what seems to be gone may be new there, with a worker to come,
 * or its worker may still be finishing. Looks at most every ten seconds, and answers as of then.
 */
export const createFormerProviders = (deps: FormerProvidersDeps): (() => Promise<readonly string[]>) => {
  const { redis, key, names, version, now } = deps
  let lookedAtMs = Number.NEGATIVE_INFINITY
  let former: readonly string[] = []

  const look = async (): Promise<readonly string[]> => {
    if (names.length > 0) await redis.sadd(key, ...names)
    const strangers = (await redis.smembers(key)).filter(name => !names.includes(name))
    if (strangers.length === 0) return []
    const processes = await deps.processes()
    if (processes.some(({ config }) => config !== version)) return []
    const served = new Set((await deps.workers()).map(({ provider }) => provider))
    return strangers.filter(name => !served.has(name))
  }

  /** By name, since when each look found it so. */
  let sinceMs: ReadonlyMap<string, number> = new Map()

  return async () => {
    const nowMs = now()
    const sinceLookMs = nowMs - lookedAtMs
    if (sinceLookMs < lookEveryMs) return former
    const before = sinceLookMs > gapMs ? new Map<string, number>() : sinceMs
    sinceMs = new Map((await look()).map(name => [name, before.get(name) ?? nowMs]))
    lookedAtMs = nowMs
    former = [...sinceMs].filter(([, foundAtMs]) => nowMs - foundAtMs >= settledAfterMs).map(([name]) => name)
    return former
  }
}
