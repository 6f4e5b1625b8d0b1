import type { Cluster, Redis } from 'ioredis'
import { eachInGroups } from '../redis/in-groups.ts'
import { type Keys, shards } from '../redis/keys.ts'
import { createOwedWrite } from '../redis/owed-write.ts'
import type { RunScript } from '../redis/scripts.ts'
import { longestValue, type MetadataIndex } from './list-entry.ts'
import { jobScripts } from './scripts.ts'

/** Holds the index of all jobs against their lists. */
export interface Relist {
  /** Looks at the next jobs of every shard; a shard rests after its last. */
  next(): Promise<void>
}

export interface RelistDeps {
  readonly redis: Redis | Cluster
  readonly run: RunScript
  readonly keys: Keys
  readonly index: MetadataIndex
  readonly now: () => number
}

/** Jobs that one script looks at: less than a millisecond, and some where all are cold and to be mended. */
const perScript = 50
const scripts = 4
/** Of a shard each time. */
export const relistedPerShard = perScript * scripts
/** Processes of an earlier version, which keeps no lists, may go on for so long after an upgrade. */
const upgradeMs = 600_000
/** Somebody may have removed a record, or gone back to an earlier version for a while. */
const restMs = 3_600_000

/** What stands in an entry, and how, and beside the lists: `KINDS_SINCE` and `PAIRS_SINCE` of the Lua look at it. */
const layout = '5'

/**
 * The scripts that make and end jobs keep the lists. Jobs of an earlier version, or of a config that indexes other metadata, stand
 * there otherwise or not at all: this mends it, at once after a change and from time to time. A walk that its process does not end
 * is begun again by another one. Processes of two configs undo each other's work once in an hour, not more.
 */
export const createRelist = ({ redis, run, keys, index, now }: RelistDeps): Relist => {
  const kind = `${layout}${index.seal.trimEnd()}`
  const write = createOwedWrite(redis)
  const places = shards.map(
    (shard): Place => ({ shard, from: null, isFirst: false, isUpgrade: false, restUntilMs: 0 }),
  )

  const isDue = async (place: Place): Promise<boolean> => {
    if (place.from !== null) return true
    if (place.restUntilMs > now()) return false
    const [dueMs, as] = ((await redis.get(keys.listed(place.shard))) ?? '').split(' ')
    place.isFirst = as !== kind
    place.isUpgrade = !as?.startsWith(layout)
    place.restUntilMs = place.isFirst ? 0 : Number(dueMs)
    return place.restUntilMs <= now()
  }

  /** Whether there are more. */
  const look = async (place: Place): Promise<boolean> => {
    const { shard, from, isFirst, isUpgrade } = place
    const words = [from ?? '-', String(perScript), index.seal, longestValue, isUpgrade ? 0 : 1, ...index.keys]
    const [last] = (await run.packed(jobScripts.relist, keys.index(shard), words)) as [string]
    place.from = last === '' ? null : `(${last}`
    if (last !== '') return true
    place.restUntilMs = now() + (isFirst ? upgradeMs : restMs)
    await write('SET', keys.listed(shard), `${place.restUntilMs} ${kind}`)
    return false
  }

  const lookOn = async (place: Place): Promise<void> => {
    if (!(await isDue(place))) return
    for (let i = 0; i < scripts; i++) if (!(await look(place))) return
  }

  return {
    next: async () => {
      await eachInGroups(places, lookOn)
    },
  }
}

/** Where the walk over a shard stands. */
interface Place {
  readonly shard: number
  /** The next entry of the index, as XRANGE takes it; null between two walks. */
  from: string | null
  /** No walk like this has come to its end yet. */
  isFirst: boolean
  /** Nor one of this version: processes of an earlier one may still make jobs. */
  isUpgrade: boolean
  restUntilMs: number
}
