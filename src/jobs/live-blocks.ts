import type { Cluster, Redis } from 'ioredis'
import { blockAt, blockMs, type Keys, startOfBlock } from '../redis/keys.ts'
import { createOwedWrite } from '../redis/owed-write.ts'
import type { RunScript } from '../redis/scripts.ts'
import type { StoreClock } from './schedule.ts'
import { jobScripts } from './scripts.ts'

/** Jobs made within the same 33 s, of whom some live. */
export interface Block {
  /** The first characters of their ids' time; `''` stands for all that were made before the counting began. */
  readonly name: string
  /** Where in the index they stand, by the clock of Redis. */
  readonly fromMs: number
  readonly toMs: number
  readonly count: number
  /** How many were found alive. */
  found: number
}

/** What one walk over a shard looks at. */
export interface Round {
  readonly startedAtMs: number
  readonly blocks: readonly Block[]
  /** Every job made before this block is looked at; `''` for none. */
  readonly before: string
  /** It looks everywhere for what a walk has missed. */
  readonly isSearch: boolean
}

/** Where a shard has live jobs. */
export interface LiveBlocks {
  begin(): Promise<Round>
  /** The round that follows at once on one that is done, if any. */
  end(round: Round): Promise<Round | null>
}

export interface LiveBlocksDeps extends StoreClock {
  readonly redis: Redis | Cluster
  readonly run: RunScript
  readonly keys: Keys
}

/** Younger jobs are still in the hands of who made them. */
const youngMs = 60_000
/**
 * An id is made by the clock of a process, before its record; its entry bears the time of Redis's clock at which the record
 * was written. What stands further apart is found by a search.
 */
const earlierMs = 60_000
const laterMs = 120_000
/** Processes of an earlier version, which counts nothing, may go on for so long after an upgrade. */
const upgradeMs = 600_000
/** Counts are wrong where somebody removed a record, and places where the clock of Redis has stepped. */
const betweenSearchesMs = 3_600_000

/** What outlives a process: jobs made before the one are not counted, and the other is when the last search ended. */
interface Memory {
  readonly countedSinceMs: number
  readonly searchedAtMs: number
}

const memoryPattern = /^(\d+) (\d+)$/

export const createLiveBlocks = (
  { redis, run, keys, now, aheadMs }: LiveBlocksDeps,
  shard: number,
): LiveBlocks => {
  const write = createOwedWrite(redis)

  const remember = async (memory: Memory): Promise<Memory> => {
    await write('SET', keys.reconciler(shard), `${memory.countedSinceMs} ${memory.searchedAtMs}`)
    return memory
  }

  /** What an earlier version kept under this key has another form. */
  const recall = async (): Promise<Memory> => {
    const text = (await redis.get(keys.reconciler(shard))) ?? ''
    const [, since, searched] = memoryPattern.exec(text) ?? []
    if (since !== undefined) return { countedSinceMs: Number(since), searchedAtMs: Number(searched) }
    const isNew = (await redis.exists(keys.index(shard))) === 0
    return remember({ countedSinceMs: isNew ? 0 : now() + upgradeMs, searchedAtMs: 0 })
  }

  const blockOf = (name: string, count: number): Block => {
    const startMs = startOfBlock(name) - aheadMs()
    const toMs = startMs + blockMs + laterMs
    return { name, fromMs: Math.max(0, startMs - earlierMs), toMs, count, found: 0 }
  }

  const uncounted = (sinceMs: number): Block => {
    const toMs = sinceMs - aheadMs() + laterMs
    return { name: '', fromMs: 0, toMs, count: Number.POSITIVE_INFINITY, found: 0 }
  }

  const isShort = ({ name, count, found }: Block): boolean => name !== '' && found < count

  /** Those that are short although no job has ended since the round began. */
  const missedBy = async ({ blocks }: Round): Promise<readonly Block[]> => {
    const short = blocks.filter(isShort)
    if (short.length === 0) return []
    const counts = await redis.hmget(keys.live(shard), ...short.map(({ name }) => name))
    return short.filter(({ count }, i) => counts[i] === String(count))
  }

  const endSearch = async ({ blocks }: Round): Promise<void> => {
    const absent = blocks.filter(({ found }) => found === 0)
    await Promise.all(
      absent.map(({ name, count }) => run(jobScripts.forgetLives, [keys.live(shard), name, count])),
    )
    await remember({ ...(await recall()), searchedAtMs: now() })
  }

  /** Nothing lives any more that is not counted. */
  const isAllCounted = ({ startedAtMs, blocks }: Round, sinceMs: number): boolean =>
    sinceMs > 0 &&
    sinceMs + youngMs < startedAtMs &&
    blocks.every(({ name, found }) => name !== '' || found === 0)

  return {
    begin: async () => {
      const startedAtMs = now()
      const { countedSinceMs } = await recall()
      const before = countedSinceMs === 0 ? '' : blockAt(countedSinceMs)
      const last = blockAt(startedAtMs - youngMs)
      const counts = Object.entries(await redis.hgetall(keys.live(shard)))
      const blocks = counts
        .filter(([name]) => name >= before && name <= last)
        .map(([name, count]) => blockOf(name, Number(count)))
      if (before !== '') blocks.push(uncounted(countedSinceMs))
      return { startedAtMs, blocks, before, isSearch: false }
    },

    end: async round => {
      if (round.isSearch) {
        await endSearch(round)
        return null
      }
      const { countedSinceMs, searchedAtMs } = await recall()
      if (isAllCounted(round, countedSinceMs)) await remember({ countedSinceMs: 0, searchedAtMs })
      if (searchedAtMs + betweenSearchesMs > now()) return null
      const missed = await missedBy(round)
      if (missed.length === 0) return null
      const everywhere = { fromMs: 0, toMs: Number.POSITIVE_INFINITY, found: 0 }
      const blocks = missed.map(block => ({ ...block, ...everywhere }))
      return { startedAtMs: now(), blocks, before: '', isSearch: true }
    },
  }
}
