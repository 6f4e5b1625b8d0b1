import { type Keys, shards } from '../redis/keys.ts'
import type { RunScript } from '../redis/scripts.ts'
import type { StoreClock } from './schedule.ts'
import { jobScripts } from './scripts.ts'

/** Removes entries of the index whose jobs are past their retention. */
export interface IndexTrim {
  /** Looks at the next entries of every shard, up to `perShard`; a shard rests after its last. */
  next(perShard: number): Promise<void>
}

export interface IndexTrimDeps extends StoreClock {
  readonly run: RunScript
  readonly keys: Keys
  /** How long a record is kept after its end: no younger one is gone. */
  readonly retentionMs: number
}

const restMs = 60_000

/**
 * A job that is there after its retention, because it ended late or owed a webhook, is looked at again in each round; all others
 * once, and then they are gone.
 */
export const createIndexTrim = ({ run, keys, retentionMs, now, aheadMs }: IndexTrimDeps): IndexTrim => {
  const places = shards.map(() => ({ from: '-', restUntilMs: 0 }))

  const trim = async (shard: number, perShard: number): Promise<void> => {
    const place = places[shard]!
    if (place.restUntilMs > now()) return
    const to = now() - aheadMs() - retentionMs
    if (to <= 0) return
    const reply = await run.packed(jobScripts.dropGone, keys.index(shard), [
      place.from,
      String(to),
      String(perShard),
    ])
    const [last] = reply as [string]
    place.from = last === '' ? '-' : `(${last}`
    if (last === '') place.restUntilMs = now() + restMs
  }

  return {
    next: async perShard => {
      await Promise.all(shards.map(shard => trim(shard, perShard)))
    },
  }
}
