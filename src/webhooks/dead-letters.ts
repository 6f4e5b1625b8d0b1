import type { Cluster, Redis } from 'ioredis'
import { isBatchId, isJobId, isNoticeId, type Keys, type LetterKind, shardOf, shards } from '../redis/keys.ts'

export interface DeadLetter {
  /** A job's, a batch's or a notice's. */
  readonly id: string
  readonly diedAtMs: number
}

/** Jobs and batches whose webhook was given up, newest first. */
export interface DeadLetters {
  /**
   * Up to `limit` of a tenant's, or of all with null, that come after a letter, which need not be there any more; from the newest on
   * with null.
   */
  list(tenant: string | null, after: DeadLetter | null, limit: number): Promise<readonly DeadLetter[]>
  /** Where a letter of the tenant stands, or stood before it was sent again; null when there was none. */
  find(tenant: string, id: string): Promise<DeadLetter | null>
  /** Forgets a letter whose job or batch is gone; with null its tenant still lists it. */
  forget(tenant: string | null, letter: DeadLetter): Promise<void>
  /** Those of all tenants. */
  size(): Promise<number>
}

export interface DeadLettersOptions {
  readonly redis: Redis | Cluster
  readonly keys: Keys
  /** How long a letter is kept. */
  readonly retentionMs: Readonly<Record<LetterKind, number>>
  readonly now: () => number
}

const kinds: readonly LetterKind[] = ['jobs', 'batches']
const kindOf = (id: string): LetterKind => (isJobId(id) ? 'jobs' : 'batches')

const timeDigits = 13
const timeWord = (ms: number): string => String(ms).padStart(timeDigits, '0')
const nameOf = ({ id, diedAtMs }: DeadLetter): string => `${timeWord(diedAtMs)}:${id}`
const parseName = (name: string): DeadLetter => ({
  id: name.slice(timeDigits + 1),
  diedAtMs: Number(name.slice(0, timeDigits)),
})

/** A letter's place in the list, as one word. */
export const letterCursor = ({ id, diedAtMs }: DeadLetter): string => `${diedAtMs}-${id}`

/** Null for what is no place. */
export const parseLetterCursor = (cursor: string): DeadLetter | null => {
  const [, diedAtMs, id] = /^(\d{1,13})-([\w-]{1,80})$/.exec(cursor) ?? []
  return id === undefined ? null : { id, diedAtMs: Number(diedAtMs) }
}

export const createDeadLetters = ({ redis, keys, retentionMs, now }: DeadLettersOptions): DeadLetters => {
  const oldestOf = (kind: LetterKind): string => `[${timeWord(now() - retentionMs[kind])}`

  const recordKeyOf = (id: string): string | null => {
    if (isJobId(id)) return keys.record(id)
    if (isNoticeId(id)) return keys.notice(id)
    return isBatchId(id) ? keys.batch(id) : null
  }

  const newestOf = async (
    shard: number,
    kind: LetterKind,
    tenant: string | null,
    from: string,
    limit: number,
  ) =>
    (await redis.zrange(
      keys.deadLetters(shard, kind, tenant ?? undefined),
      from,
      oldestOf(kind),
      'BYLEX',
      'REV',
      'LIMIT',
      0,
      limit,
    )) as string[]

  return {
    list: async (tenant, after, limit) => {
      const from = after === null ? '+' : `(${nameOf(after)}`
      const lists = shards.flatMap(shard => kinds.map(kind => newestOf(shard, kind, tenant, from, limit)))
      const names = (await Promise.all(lists)).flat().sort().reverse()
      return names.slice(0, limit).map(parseName)
    },
    find: async (tenant, id) => {
      const key = recordKeyOf(id)
      const [diedAt, owner] = key === null ? [] : await redis.hmget(key, 'died', 'tenant')
      return diedAt && (owner ?? 'default') === tenant ? { id, diedAtMs: Number(diedAt) } : null
    },
    forget: async (tenant, letter) => {
      const [shard, kind] = [shardOf(letter.id), kindOf(letter.id)]
      const own = tenant === null ? [] : [keys.deadLetters(shard, kind, tenant)]
      const lists = [keys.deadLetters(shard, kind), ...own]
      await Promise.all(lists.map(list => redis.zrem(list, nameOf(letter))))
    },
    size: async () => {
      const counts = shards.flatMap(shard =>
        kinds.map(kind => redis.zlexcount(keys.deadLetters(shard, kind), oldestOf(kind), '+')),
      )
      return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0)
    },
  }
}
