import { type Keys, shards, ulidOf } from '../redis/keys.ts'
import type { RunScript } from '../redis/scripts.ts'
import { isTold, type JobFilter, type Wanted, wantedBy } from './job-filter.ts'
import { jobScripts } from './scripts.ts'

/** Jobs that a filter may want, by their ids, newest first: their records tell whether it does. */
export interface ListWalk {
  /**
   * The next ones, at most so many. There may be none for now although more follow: each step looks at a bounded part of the
   * lists, so that no script holds Redis up.
   */
  next(limit: number): Promise<Step>
  /** Entries that were looked at so far. */
  readonly scanned: number
}

export interface Step {
  readonly ids: readonly string[]
  /** Where another walk goes on; null at the end. */
  readonly cursor: string | null
}

export interface Count {
  readonly count: number
  /** False where not all was looked at, or where a name may have been taken for another's: then it may be wrong. */
  readonly exact: boolean
}

export interface JobLists {
  /** Counts for as long as `mayGoOn` says. Lines of batches do not count. */
  count(filter: JobFilter, mayGoOn: () => boolean): Promise<Count>
  /** `cursor`: where to go on; null begins at the newest. */
  walk(filter: JobFilter, cursor: string | null): ListWalk
}

/** Entries of a list that one script goes over: half a millisecond, or one where it reads records. */
const perScript = 2_000
const readPerScript = 250
const growth = 5
/** Entries of one score: where a look begins at them, it has to come past them. */
const atOnePlace = 16
/** Scripts that are sent together: one after the other, they hold Redis up. */
const together = 4

/** Characters of an id that name a place in the lists. The last ones stay behind: a cursor names no job of somebody else. */
const placeChars = 20
const placePattern = /^[0-9a-hjkmnp-tv-z]{10,20}$/

export const isListCursor = (text: string): boolean => placePattern.test(text)
export const cursorAfter = (id: string): string => ulidOf(id).slice(0, placeChars)
/** Before the newest job. */
export const listStart = 'z'.repeat(10)

type Reply = readonly [last: string, looked: number, found: readonly string[]]

/** A shard's part of a walk. */
interface Part {
  readonly shard: number
  /** Found and not given yet, newest first. */
  found: readonly string[]
  /** Down to where it has looked; null when there are no more. */
  place: string | null
  /** Entries of a list that it looks at next: more each time. */
  most: number
}

/**
 * Reads the lists that the scripts keep which make and end jobs. Each script reads all lists of its shard at one moment, so that a
 * job that ends meanwhile is met once.
 */
export const createJobLists = (run: RunScript, keys: Keys): JobLists => {
  const look = async (wanted: Wanted, part: Part, limit: number): Promise<number> => {
    const [last, looked, found] = (await run.packed(jobScripts.list, keys.schedule(part.shard), [
      part.place,
      wanted.oldest,
      part.most,
      Math.min(part.most, readPerScript),
      limit,
      wanted.start,
      wanted.lists,
    ])) as Reply
    part.found = found
    part.most = Math.min(part.most * growth, perScript)
    part.place = last === '' ? null : last
    return looked
  }

  const walk = (filter: JobFilter, cursor: string | null): ListWalk => {
    const wanted = wantedBy(filter)
    const isLater = cursor === null || (wanted.before !== '' && cursor > wanted.before)
    const place = isLater ? wanted.before : cursor
    const parts = shards.map((shard): Part => ({ shard, found: [], place, most: 0 }))
    let scanned = 0

    /** Those that may have more, and have nothing to give. */
    const hungry = () => parts.filter(({ found, place }) => found.length === 0 && place !== null)

    const feed = async (limit: number): Promise<void> => {
      const all = hungry()
      // Where nearly all match, a shard need not give more than the page takes.
      for (const part of all) part.most ||= limit + atOnePlace
      for (let i = 0; i < all.length; i += together) {
        const group = all.slice(i, i + together)
        const looked = await Promise.all(group.map(part => look(wanted, part, limit)))
        for (const count of looked) scanned += count
      }
    }

    return {
      next: async limit => {
        await feed(limit)
        const ids: string[] = []
        while (ids.length < limit) {
          const next = newestOf(parts)
          const bound = boundOf(hungry())
          // Beyond that place a shard may have newer ones.
          if (bound !== null && (next === null || next.found[0]! < bound))
            return { ids, cursor: bound.slice(0, placeChars) }
          if (next === null) return { ids, cursor: null }
          ids.push(`job_${next.found[0]!}`)
          next.found = next.found.slice(1)
        }
        return { ids, cursor: cursorAfter(ids.at(-1)!) }
      },
      get scanned() {
        return scanned
      },
    }
  }

  /** As far as it may go on. */
  const countIn = async (shard: number, wanted: Wanted, mayGoOn: () => boolean): Promise<Count> => {
    const part: Part = { shard, found: [], place: wanted.before, most: perScript }
    let count = 0
    while (part.place !== null && mayGoOn()) {
      await look(wanted, part, perScript)
      count += part.found.length
    }
    return { count, exact: part.place === null }
  }

  const count: JobLists['count'] = async (filter, mayGoOn) => {
    const wanted = wantedBy(filter)
    let [sum, exact] = [0, isTold(filter)]
    for (let i = 0; i < shards.length; i += together) {
      const group = shards.slice(i, i + together)
      const counts = await Promise.all(group.map(shard => countIn(shard, wanted, mayGoOn)))
      sum += counts.reduce((all, each) => all + each.count, 0)
      exact &&= counts.every(each => each.exact)
    }
    return { count: sum, exact }
  }

  return { walk, count }
}

/** Whose next job is the newest; null when none has any. */
const newestOf = (parts: readonly Part[]): Part | null =>
  parts
    .filter(({ found }) => found.length > 0)
    .reduce<Part | null>((best, part) => (best && best.found[0]! > part.found[0]! ? best : part), null)

/** The newest place down to which one of them has looked; null for none of them. */
const boundOf = (parts: readonly Part[]): string | null =>
  parts.reduce<string | null>((bound, { place }) => (bound !== null && bound > place! ? bound : place), null)
