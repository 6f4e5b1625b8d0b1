import { inGroups } from '../redis/in-groups.ts'
import { type Keys, shards, ulidOf } from '../redis/keys.ts'
import type { RunScript } from '../redis/scripts.ts'
import { type JobFilter, type Wanted, type WantedList, wantedBy } from './job-filter.ts'
import { type MetadataIndex, placeAfter, scoreOf } from './list-entry.ts'
import { bestSet, type PairSet } from './pair-sets.ts'
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
  /** False where not all was looked at. */
  readonly exact: boolean
}

export interface JobLists {
  /** Counts for as long as `mayGoOn` says. Lines of batches do not count. */
  count(filter: JobFilter, mayGoOn: () => boolean): Promise<Count>
  /** `cursor`: where to go on; null begins at the newest. */
  walk(filter: JobFilter, cursor: string | null): ListWalk
}

/** Entries that one script goes over, of all its lists together, and records that it reads for them: half a millisecond each. */
const perScript = 2_000
const readPerScript = 250
const growth = 10
/** Of those of a pair, it reads each one's record and its entry. */
const pairedPerScript = 200
/** Of those that it looks at for leases, it reads the records of all that run. */
const leasesPerScript = 500
/** Entries of one score: where a look begins at them, it has to come past them. */
const atOnePlace = 16

/** Characters of an id that name a place in the lists. The last ones stay behind: a cursor names no job of somebody else. */
const placeChars = 20
const placePattern = /^[0-9a-hjkmnp-tv-z]{10,20}$/

export const isListCursor = (text: string): boolean => placePattern.test(text)
export const cursorAfter = (id: string): string => ulidOf(id).slice(0, placeChars)
/** Before the newest job. */
export const listStart = 'z'.repeat(10)

type Reply = readonly [last: string, looked: number, found: readonly string[]]

/** What is asked for, and by what it is looked for. */
interface Aim extends Wanted {
  /** Whose jobs are gone over; null where it is the lists. */
  readonly set: PairSet | null
}

/** A shard's part of a walk. */
interface Part {
  readonly shard: number
  /** Those that may have such jobs; null before that was looked up. */
  lists: readonly WantedList[] | null
  /** Found and not given yet, newest first. */
  found: readonly string[]
  /** Down to where it has looked; null when there are no more. */
  place: string | null
  /** Entries of a list that it looks at next: more each time. */
  most: number
}

export interface JobListsDeps {
  readonly run: RunScript
  readonly keys: Keys
  readonly index: MetadataIndex
  readonly leaseMs: number
  readonly now: () => number
}

/** Leases are given by clocks of other processes and by that of Redis. */
const clocksApartMs = 60_000

/**
 * Reads the lists that the scripts keep which make and end jobs. Each script reads all lists of its shard at one moment, so that a
 * job that ends meanwhile is met once.
 */
export const createJobLists = ({ run, keys, index, leaseMs, now }: JobListsDeps): JobLists => {
  const leasesTo = (): number => now() + 2 * leaseMs + clocksApartMs

  /** From a cursor on; null for the newest. */
  const aimOf = async (filter: JobFilter, cursor: string | null = null): Promise<Aim> => {
    const wanted = wantedBy(filter, index)
    const isLater = cursor === null || (wanted.before !== '' && cursor > wanted.before)
    const before = isLater ? wanted.before : cursor
    const set = await bestSet({ run, keys, index }, filter, wanted, before, leasesTo())
    if (set === null) return { ...wanted, before, set }
    return { ...wanted, before, set, lists: wanted.listsOfRecords, isNarrow: false, running: false }
  }

  /** For each wanted list the score of the newest job of such a kind, or '' where it has had none; empty where that is not known. */
  const newestIn = async (wanted: Wanted, shard: number): Promise<readonly string[]> => {
    const named = [wanted.start, wanted.route, wanted.provider]
    const words = [named, wanted.lists.map(([state, why]) => [state, why])]
    return (await run.packed(jobScripts.listKinds, keys.schedule(shard), words)) as string[]
  }

  /** Leaves out lists that have had no job of such a kind, and begins at the newest of those that others have had. */
  const narrow = async (wanted: Wanted, part: Part): Promise<void> => {
    const newest = await newestIn(wanted, part.shard)
    part.lists = wanted.lists.filter((_, i) => newest[i] !== '')
    if (part.lists.length === 0) part.place = null
    if (newest.length === 0 || part.place === null) return
    const begin = placeAfter(Math.max(...newest.map(Number)))
    if (part.place === '' || part.place > begin) part.place = begin
  }

  /** Whether a list that was left out has had such a job by now: it may have come from one that was looked at after it had left. */
  const mayHaveMissed = async (wanted: Wanted, { shard, lists }: Part): Promise<boolean> => {
    const isLeftOut = (list: WantedList): boolean => !lists!.includes(list)
    if (!wanted.lists.some(isLeftOut) || !lists!.some(([state]) => state === 'open')) return false
    const newest = await newestIn(wanted, shard)
    return wanted.lists.some((list, i) => isLeftOut(list) && newest[i] !== '')
  }

  const look = async (wanted: Aim, part: Part, limit: number): Promise<number> => {
    if (part.lists === null && wanted.isNarrow) await narrow(wanted, part)
    part.lists ??= wanted.lists
    if (part.place === null) return 0
    const filter = [
      [wanted.start, wanted.route, wanted.provider],
      ...[`\n${index.seal}`, wanted.indexed.lines, wanted.indexed.pairs, wanted.pairs],
      part.lists,
    ]
    const { place, most, shard } = part
    const among = Math.min(most, pairedPerScript)
    const [last, looked, found] = (await (wanted.set === null
      ? run.packed(jobScripts.list, keys.schedule(shard), [
          ...[place, wanted.oldest, most, perScript, readPerScript, limit],
          ...filter,
        ])
      : run.packed(jobScripts.listPair, keys.pairs(shard), [
          ...[wanted.set.hash, place, wanted.from, among, limit],
          ...filter,
        ]))) as Reply
    if (wanted.isNarrow && (await mayHaveMissed(wanted, part))) {
      part.lists = wanted.lists
      return looked + (await look(wanted, part, limit))
    }
    part.found = found
    part.most = Math.min(part.most * growth, perScript)
    part.place = last === '' ? null : last
    return looked
  }

  /** The ids without prefix of the jobs of a shard that run, in no order; of one whose lease is renewed meanwhile, twice. */
  const runningIn = async (shard: number, filter: JobFilter, wanted: Wanted): Promise<string[]> => {
    const until = leasesTo()
    const pairs = [...wanted.indexed.pairs, ...wanted.pairs]
    const words = [filter.tenant ?? false, wanted.route, wanted.provider, pairs]
    const found: string[] = []
    for (let [from, passed] = ['-inf', 0]; from !== ''; ) {
      const place = [from, until, passed, leasesPerScript]
      const reply = await run.packed(jobScripts.listRunning, keys.schedule(shard), [...place, ...words])
      const [last, ofLast, ids] = reply as [string, number, string[]]
      found.push(...ids)
      // There may be more of one time than a script reads.
      ;[from, passed] = [last, last === from ? passed + ofLast : ofLast]
    }
    return found
  }

  /** Newest first, each once. */
  const running = async (filter: JobFilter, wanted: Wanted): Promise<string[]> => {
    const { before } = wanted
    const found = (await inGroups(shards, shard => runningIn(shard, filter, wanted))).flat()
    const isAsked = (id: string): boolean => (before === '' || id < before) && scoreOf(id) >= wanted.oldest
    return [...new Set(found)].filter(isAsked).sort().reverse()
  }

  const walk = (filter: JobFilter, cursor: string | null): ListWalk => {
    const parts: Part[] = []
    let scanned = 0

    const begin = once(async (): Promise<Aim> => {
      const wanted = await aimOf(filter, cursor)
      const place = wanted.lists.length === 0 ? null : wanted.before
      for (const shard of wanted.set?.shards ?? shards)
        parts.push({ shard, lists: null, found: [], place, most: 0 })
      if (wanted.running) {
        // As a part of its own, which has all that it will give.
        const found = await running(filter, wanted)
        scanned += found.length
        parts.push({ shard: -1, lists: [], found, place: null, most: 0 })
      }
      return wanted
    })

    /** Those that may have more, and have nothing to give. */
    const hungry = () => parts.filter(({ found, place }) => found.length === 0 && place !== null)

    const feed = async (wanted: Aim, limit: number): Promise<void> => {
      const all = hungry()
      // Where nearly all match, a shard need not give more than the page takes.
      for (const part of all) part.most ||= limit + atOnePlace
      for (const looked of await inGroups(all, part => look(wanted, part, limit))) scanned += looked
    }

    return {
      next: async limit => {
        await feed(await begin(), limit)
        const ids: string[] = []
        while (ids.length < limit) {
          const next = newestOf(parts)
          const bound = boundOf(hungry())
          // Beyond that place a shard may have newer ones.
          if (bound !== null && (next === null || next.found[0]! < bound))
            return { ids, cursor: bound.slice(0, placeChars) }
          if (next === null) return { ids, cursor: null }
          const id = next.found[0]!
          ids.push(`job_${id}`)
          // A job that ran and has parked meanwhile is in two.
          for (const part of parts) if (part.found[0] === id) part.found = part.found.slice(1)
        }
        return { ids, cursor: cursorAfter(ids.at(-1)!) }
      },
      get scanned() {
        return scanned
      },
    }
  }

  /** As far as it may go on. */
  const countIn = async (shard: number, wanted: Aim, mayGoOn: () => boolean): Promise<Count> => {
    const part: Part = { shard, lists: null, found: [], place: wanted.before, most: perScript }
    let count = 0
    while (part.place !== null && mayGoOn()) {
      await look(wanted, part, perScript)
      count += part.found.length
    }
    return { count, exact: part.place === null }
  }

  const count: JobLists['count'] = async (filter, mayGoOn) => {
    const wanted = await aimOf(filter)
    const ran = wanted.running ? (await running(filter, wanted)).length : 0
    if (wanted.lists.length === 0) return { count: ran, exact: true }
    const counts = await inGroups(wanted.set?.shards ?? shards, shard => countIn(shard, wanted, mayGoOn))
    return {
      count: counts.reduce((sum, each) => sum + each.count, ran),
      exact: counts.every(({ exact }) => exact),
    }
  }

  return { walk, count }
}

const once = <T>(work: () => Promise<T>): (() => Promise<T>) => {
  let done: Promise<T> | null = null
  return () => (done ??= work())
}

/** Whose next job is the newest; null when none has any. */
const newestOf = (parts: readonly Part[]): Part | null =>
  parts
    .filter(({ found }) => found.length > 0)
    .reduce<Part | null>((best, part) => (best && best.found[0]! > part.found[0]! ? best : part), null)

/** The newest place down to which one of them has looked; null for none of them. */
const boundOf = (parts: readonly Part[]): string | null =>
  parts.reduce<string | null>((bound, { place }) => (bound !== null && bound > place! ? bound : place), null)
