import { eachInGroups } from '../redis/in-groups.ts'
import { type Keys, type ListedState, shards, timeChars } from '../redis/keys.ts'
import type { PackedScript, RunScript } from '../redis/scripts.ts'
import { scoreOf } from './list-entry.ts'
import type { StoreClock } from './schedule.ts'
import { jobScripts } from './scripts.ts'

/** Removes entries of the index, of the lists and of the sets of pairs whose jobs are past their retention. */
export interface IndexTrim {
  /** Looks at the next entries of every shard, up to `perShard` of each; one rests after its last. */
  next(perShard: number): Promise<void>
}

export interface IndexTrimDeps extends StoreClock {
  readonly run: RunScript
  readonly keys: Keys
  /** How long a record is kept after its end: no younger one is gone. */
  readonly retentionMs: number
}

/** An index of a shard, by time. */
interface Trimmed {
  readonly script: PackedScript
  readonly key: string
  /** Its first entry, and its last one of a time. */
  readonly start: string
  readonly until: (ms: number) => string
}

const restMs = 60_000
const states: readonly ListedState[] = ['open', 'succeeded', 'failed', 'cancelled', 'expired']

/**
 * A job that is there after its retention, because it ended late or owed a webhook, is looked at again in each round; all others
 * once, and then they are gone.
 */
export const createIndexTrim = ({ run, keys, retentionMs, now, aheadMs }: IndexTrimDeps): IndexTrim => {
  const indexOf = (shard: number): Trimmed => ({
    ...{ script: jobScripts.dropGone, key: keys.index(shard), start: '-' },
    // An entry bears the time of Redis, an id that of its process.
    until: ms => String(ms - aheadMs()),
  })
  const listOf = (shard: number, state: ListedState): Trimmed => ({
    ...{ script: jobScripts.trimList, key: keys.list(shard, state), start: '-inf' },
    until: ms => `(${scoreOf(timeChars(ms))}`,
  })
  const pairsOf = (shard: number): Trimmed => ({
    ...{ script: jobScripts.trimPairs, key: keys.pairs(shard), start: '-' },
    until: timeChars,
  })
  const all = shards.flatMap(shard => [
    indexOf(shard),
    ...states.map(state => listOf(shard, state)),
    pairsOf(shard),
  ])
  const places = all.map(({ start }) => ({ from: start, restUntilMs: 0 }))

  const trim = async ({ script, key, start, until }: Trimmed, i: number, perShard: number): Promise<void> => {
    const place = places[i]!
    if (place.restUntilMs > now()) return
    const toMs = now() - retentionMs
    if (toMs - aheadMs() <= 0) return
    const [last] = (await run.packed(script, key, [place.from, until(toMs), String(perShard)])) as [string]
    place.from = last === '' ? start : `(${last}`
    if (last === '') place.restUntilMs = now() + restMs
  }

  return {
    next: async perShard => {
      await eachInGroups(all, (each, i) => trim(each, i, perShard))
    },
  }
}
