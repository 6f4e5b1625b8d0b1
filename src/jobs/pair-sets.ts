import { type Keys, shards } from '../redis/keys.ts'
import type { RunScript } from '../redis/scripts.ts'
import type { JobFilter, Wanted } from './job-filter.ts'
import { type MetadataIndex, pairHash } from './list-entry.ts'
import { jobScripts } from './scripts.ts'

/** Of so many jobs, those that a filter wants are found in some 10 ms, whatever else it asks for. */
const fewJobs = 2_000

/**
 * The pair of metadata, by its hash, by whose set the wanted jobs are found best; null where the lists are to be gone over: no
 * pair is indexed, a set may lack jobs (no walk of `createRelist` has come to its end since one was made with other keys), or a
 * pair has so many that what else is asked for finds more.
 */
export const bestPair = async (
  { run, keys, index }: { run: RunScript; keys: Keys; index: MetadataIndex },
  filter: JobFilter,
  { indexed, before, from }: Wanted,
): Promise<string | null> => {
  if (indexed.lines.length === 0) return null
  const hashes = indexed.lines.map(line => pairHash(line))
  const words = [index.seal.trimEnd(), before, from, hashes]
  const weighed = (await Promise.all(
    shards.map(shard => run.packed(jobScripts.weighPairs, keys.pairs(shard), words)),
  )) as number[][]
  if (weighed.some(sizes => sizes.length === 0)) return null
  const sums = hashes.map((_, i) => weighed.reduce((sum, sizes) => sum + sizes[i]!, 0))
  const fewest = Math.min(...sums)
  return fewest <= fewJobs || !asksForMore(filter) ? hashes[sums.indexOf(fewest)]! : null
}

/** For something by which the lists can pass over most jobs, or begin at the newest. */
const asksForMore = ({ statuses, route, provider, errorCode, metadata }: JobFilter): boolean =>
  statuses.length > 0 ||
  route !== undefined ||
  provider !== undefined ||
  errorCode !== undefined ||
  Object.keys(metadata).length > 1
