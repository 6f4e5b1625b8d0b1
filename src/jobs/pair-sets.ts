import { type Keys, shards } from '../redis/keys.ts'
import type { RunScript } from '../redis/scripts.ts'
import type { JobFilter, Wanted } from './job-filter.ts'
import { type MetadataIndex, pairHash, tenantHash } from './list-entry.ts'
import { jobScripts } from './scripts.ts'

/** Jobs that have a pair of metadata that is indexed, or a tenant. */
export interface PairSet {
  readonly hash: string
  /** The shards that have any. */
  readonly shards: readonly number[]
}

/** For a job of a set its record and its entry are read, a µs each; entries of lists come in one piece, three in a µs. */
const entriesForJob = 10
/** Of so many it is no matter. */
const fewJobs = 50

type Weight = readonly [sizes: readonly number[], entries: number]

export interface PairSetsDeps {
  readonly run: RunScript
  readonly keys: Keys
  readonly index: MetadataIndex
}

/**
 * The set by which the wanted jobs are found with the least work, at worst; null where that is by the lists, or where a set may
 * lack jobs: no walk of `createRelist` has come to its end since one was made with other keys.
 *
 * @param before what the ids sort before; '' for the newest
 * @param leasesToMs until when leases of running jobs may last, where they are asked for
 */
export const bestSet = async (
  { run, keys, index }: PairSetsDeps,
  { tenant }: JobFilter,
  { indexed, from, oldest, lists, running }: Wanted,
  before: string,
  leasesToMs: number,
): Promise<PairSet | null> => {
  const ofPairs = indexed.lines.map(line => pairHash(line))
  const ofTenants = tenant === null || tenant === 'default' ? [] : [tenantHash(tenant)]
  const hashes = [...ofPairs, ...ofTenants]
  if (hashes.length === 0) return null
  const states = [...new Set(lists.map(([state]) => state))]
  const words = [index.seal.trimEnd(), before, from, oldest, ofPairs, ofTenants, states]
  const weights = (await Promise.all(
    shards.map(shard =>
      run.packed(jobScripts.weighPairs, keys.pairs(shard), [...words, running ? leasesToMs : 0]),
    ),
  )) as Weight[]
  const sets = hashes
    .map((hash, i) => ({ hash, sizes: weights.map(([sizes]) => sizes[i]!) }))
    .filter(({ sizes }) => !sizes.includes(-1))
    .map(({ hash, sizes }) => ({ hash, sizes, sum: sumOf(sizes) }))
  const fewest = sets.toSorted((a, b) => a.sum - b.sum)[0]
  const entries = sumOf(weights.map(([, ofShard]) => ofShard))
  if (!fewest || (fewest.sum > fewJobs && fewest.sum * entriesForJob > entries)) return null
  return { hash: fewest.hash, shards: shards.filter((_, i) => fewest.sizes[i]! > 0) }
}

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0)
