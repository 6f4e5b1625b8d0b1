import { createHash } from 'node:crypto'
import { ulidOf } from '../redis/keys.ts'
import { formatTarget } from './record.ts'
import type { NewJob } from './types.ts'

// What the lists of jobs hold of a job. `list_entry` in list-entries.lua makes the same of a record.

/**
 * What entries say of a job's metadata, so that jobs are found by it (`jobs.indexed_metadata`). The record keeps its lines
 * (`indexed`), so that no script need know the config. The last one names the keys, the seal: an entry that bears it says by its
 * lines alone whether the job has a pair, and of one with another, or none, the record tells.
 */
export interface MetadataIndex {
  readonly keys: readonly string[]
  /** A line of every entry that is made with these keys; '' where there are none. */
  readonly seal: string
  /** The lines of a job, the seal last; '' where there are no keys. */
  linesOf(metadata: Readonly<Record<string, string>> | null): string
}

/** A longer value is indexed by its hash: in bytes, as JSON. */
export const longestValue = 100

const hashOf = (text: string): string => createHash('sha1').update(text).digest('hex').slice(0, 12)

/** As `pair_members` has it of a line, without the ends of lines around it; and of a tenant. */
export const pairHash = (line: string): string => hashOf(line.trim())
export const tenantHash = (tenant: string): string => hashOf(`@${tenant}`)

/** How JSON has a pair in the record, where it is the only text that reads so. */
export const pairText = (key: string, value: string): string =>
  `${JSON.stringify(key)}:${JSON.stringify(value)}`

/** How an entry has it. */
export const pairLine = (key: string, value: string): string => {
  const json = JSON.stringify(value)
  const said = Buffer.byteLength(json) <= longestValue ? json : createHash('sha1').update(json).digest('hex')
  return `"${key}":${said}\n`
}

export const createMetadataIndex = (keys: readonly string[]): MetadataIndex => {
  const names = createHash('sha1').update(keys.toSorted().join('\n')).digest('hex')
  const seal = keys.length === 0 ? '' : `#${names.slice(0, 6)}\n`
  return {
    keys,
    seal,
    linesOf: metadata => {
      const has = (key: string): boolean => metadata !== null && Object.hasOwn(metadata, key)
      return keys.flatMap(key => (has(key) ? pairLine(key, metadata![key]!) : [])).join('') + seal
    },
  }
}

/** The entry of a job that has just been made. */
export const listEntryOf = ({ id, tenant, model, target }: NewJob, indexed: string): string =>
  `${ulidOf(id)}\n${tenant === 'default' ? '' : tenant}\n${model}\n${formatTarget(target)}\n\n${indexed}`

/** As `score_of` in list-entries.lua has it of an id without its prefix, or of a beginning of it. */
export const scoreOf = (id: string): number => Number.parseInt(id.padEnd(11, '0').slice(1, 11), 36)

/** What every id of that score, or of a lower one, sorts before: the rest of an id is chance, and never that. */
export const placeAfter = (score: number): string =>
  `0${score.toString(36).padStart(10, '0')}${'z'.repeat(9)}`
