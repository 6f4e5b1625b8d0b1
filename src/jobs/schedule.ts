import type { Cluster, Redis } from 'ioredis'
import { type Keys, shardOf, shards } from '../redis/keys.ts'
import { createOwedWrite } from '../redis/owed-write.ts'
import type { RunScript } from '../redis/scripts.ts'
import { jobScripts } from './scripts.ts'
import type { Announce } from './types.ts'

/** The time that all processes go by, and how far ahead it is of what Redis's own clock shows. */
export interface StoreClock {
  now(): number
  aheadMs(): number
}

export interface ScheduledEntry {
  readonly entry: string
  readonly dueAtMs: number
}

/** A time, and how many of the entries that are due then are passed over. */
export interface SchedulePlace {
  readonly ms: number
  readonly passed: number
}

/** Doorbells owed and deadlines to come: what must happen even if the process that promised it dies. */
export interface Schedule {
  /** Takes up to `limit` due entries of every shard; they come up again at `untilMs` unless removed. */
  takeDue(limit: number, untilMs: number): Promise<readonly string[]>
  /** The same of one shard: what was due at `nowMs`. */
  takeDueOf(shard: number, limit: number, nowMs: number, untilMs: number): Promise<readonly string[]>
  remove(entries: readonly string[]): Promise<void>
  /** Puts an entry in, unless it stands there already. */
  add(entry: string, dueAtMs: number): Promise<void>
  postpone(entry: string, dueAtMs: number): Promise<void>
  has(entries: readonly string[]): Promise<readonly boolean[]>
  /** Entries of one shard that are not due yet, the next first. */
  later(shard: number, limit: number): Promise<readonly string[]>
  /** The same from a place on. */
  from(shard: number, place: SchedulePlace, limit: number): Promise<readonly ScheduledEntry[]>
  /** Entries in all shards. */
  size(): Promise<number>
}

/**
 * Readers of a stream learn that its worker died when its lease ends, and by nothing else. A process that stands still for longer
 * than this has lost its readers' patience anyway.
 */
export const streamLeaseMs = 5_000

/** An entry that its writer has not rung within this time is taken up by a sweeper. */
export const outboxGraceMs = 1_500

/** When a sweeper rings a webhook that is owed from now on: at once where nobody else does. */
export const webhooksDueAt = (nowMs: number, announce: Announce | undefined): number =>
  announce ? nowMs + outboxGraceMs : nowMs

export const createSchedule = (
  redis: Redis | Cluster,
  run: RunScript,
  keys: Keys,
  { now, aheadMs }: StoreClock,
): Schedule => {
  const write = createOwedWrite(redis)
  const keyOf = (entry: string): string => keys.schedule(shardOf(entry))

  const takeDueOf: Schedule['takeDueOf'] = async (shard, limit, nowMs, untilMs) => {
    const due = await redis.zrange(keys.schedule(shard), '-inf', String(nowMs), 'BYSCORE', 'LIMIT', 0, 1)
    // Only a shard with something due is worth a script: an idle cluster polls with plain reads.
    if (due.length === 0) return []
    return (await run(jobScripts.takeDue, [
      keys.schedule(shard),
      nowMs,
      limit,
      untilMs,
      aheadMs(),
    ])) as string[]
  }

  return {
    takeDue: async (limit, untilMs) =>
      (await Promise.all(shards.map(shard => takeDueOf(shard, limit, now(), untilMs)))).flat(),
    takeDueOf,
    remove: async entries => {
      const byKey = Map.groupBy(entries, keyOf)
      await Promise.all([...byKey].map(([key, group]) => redis.zrem(key, ...group)))
    },
    add: async (entry, dueAtMs) => {
      await write('ZADD', keyOf(entry), 'NX', dueAtMs, entry)
    },
    postpone: async (entry, dueAtMs) => {
      await write('ZADD', keyOf(entry), 'XX', dueAtMs, entry)
    },
    has: async entries =>
      Promise.all(entries.map(async entry => (await redis.zscore(keyOf(entry), entry)) !== null)),
    later: (shard, limit) =>
      redis.zrange(keys.schedule(shard), `(${now()}`, '+inf', 'BYSCORE', 'LIMIT', 0, limit),
    from: async (shard, { ms, passed }, limit) => {
      const key = keys.schedule(shard)
      const flat = await redis.zrange(key, ms, '+inf', 'BYSCORE', 'LIMIT', passed, limit, 'WITHSCORES')
      const isEntry = (_: string, i: number): boolean => i % 2 === 0
      return flat.filter(isEntry).map((entry, i) => ({ entry, dueAtMs: Number(flat[2 * i + 1]) }))
    },
    size: async () =>
      (await Promise.all(shards.map(shard => redis.zcard(keys.schedule(shard))))).reduce(
        (sum, n) => sum + n,
        0,
      ),
  }
}
