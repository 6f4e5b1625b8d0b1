import type { Cluster, Redis } from 'ioredis'

/** What an operator did. */
export interface OperatorAction {
  readonly atMs: number
  /** The name of the key, its tenant where it has none, or `local` without keys. */
  readonly by: string
  /** `provider.pause`, `job.cancel` and so on. */
  readonly action: string
  /** The provider, job, batch or letter. */
  readonly subject: string
  readonly note: string | null
}

/** The last things that operators did, newest first. Bounded: this is for who looks now, and no audit. */
export interface OperatorLog {
  add(action: OperatorAction): Promise<void>
  newest(count: number): Promise<readonly OperatorAction[]>
}

/** With the longest notes about 100 kB. */
const kept = 200

export const createOperatorLog = (redis: Redis | Cluster, prefix: string): OperatorLog => {
  const key = `${prefix}:{health}:actions`
  return {
    add: async action => {
      await redis
        .multi()
        .lpush(key, JSON.stringify(action))
        .ltrim(key, 0, kept - 1)
        .exec()
    },
    newest: async count =>
      (await redis.lrange(key, 0, count - 1)).map(text => JSON.parse(text) as OperatorAction),
  }
}
