import { type Keys, shards } from '../redis/keys.ts'
import type { RunScript } from '../redis/scripts.ts'
import {
  formatPlace,
  type IndexEntry,
  newestFirst,
  newestIn,
  type Place,
  parseCursor,
  placeOf,
} from './index-stream.ts'
import { encodeFilter, type JobFilter } from './job-filter.ts'
import { jobScripts } from './scripts.ts'

export interface PickedJobs {
  /** Newest first; the filter may want them, and their records tell. */
  readonly entries: readonly IndexEntry[]
  /** Where the next look begins; null when there is nothing more. */
  readonly cursor: string | null
}

/** Goes over the next entries of the index, newest first, for up to `limit` jobs of each shard. */
export type PickJobs = (filter: JobFilter, cursor: string | null, limit: number) => Promise<PickedJobs>

/** Entries of a shard that one script goes over: Redis does nothing else meanwhile, 5 ms for a thousand on two cores. */
const perShard = 500
export const entriesPerPick = perShard * shards.length

/**
 * No index of statuses or routes: a look reads a few fields of each entry's record, and jobs pay nothing for it. The list of all jobs and
 * their records tell the truth at any time, also of jobs that an earlier version made.
 */
export const createPickJobs = (run: RunScript, keys: Keys): PickJobs => {
  const pickIn = async (shard: number, filter: JobFilter, after: Place | null, limit: number) => {
    const words = [newestIn(shard, after), perShard, limit, ...encodeFilter(filter)]
    const [last, found] = (await run.packed(jobScripts.pick, keys.index(shard), words)) as [string, string[]]
    const entries = found.flatMap((id, i) =>
      i % 2 === 0 ? [{ id, place: placeOf(found[i + 1]!, shard) }] : [],
    )
    return { entries, last: last === '' ? null : placeOf(last, shard) }
  }

  return async (filter, cursor, limit) => {
    const after = cursor === null ? null : parseCursor(cursor)
    const pages = await Promise.all(shards.map(shard => pickIn(shard, filter, after, limit)))
    // Beyond the shard that came least far, jobs of that one may stand in between.
    const end = pages.flatMap(({ last }) => last ?? []).sort(newestFirst)[0]
    const entries = pages
      .flatMap(page => page.entries)
      .filter(({ place }) => end === undefined || newestFirst(place, end) <= 0)
      .sort((a, b) => newestFirst(a.place, b.place))
      .map(({ id, place }) => ({ id, cursor: formatPlace(place) }))
    return { entries, cursor: end === undefined ? null : formatPlace(end) }
  }
}
