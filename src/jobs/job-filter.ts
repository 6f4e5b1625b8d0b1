import { isTerminal, type JobStatus, type TerminalStatus } from '../domain/job.ts'
import { isWildcard, matchWildcard } from '../domain/routing/wildcards.ts'
import { type ListedState, timeChars } from '../redis/keys.ts'
import { type MetadataIndex, pairLine, pairText, scoreOf } from './list-entry.ts'
import type { JobRecord } from './record.ts'
import { answeredBy } from './view.ts'

/** What a list of jobs is to hold; what is absent is not asked for. */
export interface JobFilter {
  /** Null for the jobs of all tenants. */
  readonly tenant: string | null
  /** Of one of these; none for any. */
  readonly statuses: readonly JobStatus[]
  /** One with a star asks for all names like it. */
  readonly route?: string | undefined
  /** Who answered; of a live job, who is asked next. */
  readonly provider?: string | undefined
  readonly errorCode?: string | undefined
  readonly metadata: Readonly<Record<string, string>>
  /** Unix ms, inclusive. */
  readonly createdFromMs: number
  /** Unix ms, exclusive. */
  readonly createdToMs: number
}

const isLike = (route: string, model: string): boolean =>
  isWildcard(route) ? matchWildcard([route], model) !== null : model === route

export const matchesFilter = (filter: JobFilter, record: JobRecord | null): record is JobRecord => {
  if (record === null) return false
  const { tenant, statuses, route, provider, errorCode, metadata, createdFromMs, createdToMs } = filter
  return (
    (tenant === null || record.tenant === tenant) &&
    (statuses.length === 0 || statuses.includes(record.status)) &&
    (route === undefined || isLike(route, record.model)) &&
    (provider === undefined || answeredBy(record).provider === provider) &&
    (errorCode === undefined || (isTerminal(record.status) && record.error?.code === errorCode)) &&
    record.createdAtMs >= createdFromMs &&
    record.createdAtMs < createdToMs &&
    Object.entries(metadata).every(([key, value]) => record.metadata[key] === value)
  )
}

/** A list as `list.lua` takes it: its name, what its entries say of why (false for anything), and the states of which a record has one. */
export type WantedList = readonly [list: ListedState, why: string | false, states: readonly JobStatus[]]

/** What a filter asks the lists of a shard for. They may let too many jobs through, and none too few. */
export interface Wanted {
  /** What the ids sort before; '' for the newest. */
  readonly before: string
  /** What the ids begin at; and the least score. */
  readonly from: string
  readonly oldest: number
  /** How an entry goes on behind its id, by the tenant and the route; '' for any. */
  readonly start: string
  readonly route: string
  readonly provider: string
  /** Pairs of metadata that are indexed, as an entry has them and as a record has. */
  readonly indexed: { readonly lines: readonly string[]; readonly pairs: readonly string[] }
  /** Those of which only records know. */
  readonly pairs: readonly string[]
  readonly lists: readonly WantedList[]
  /** The same where each job's record is read anyway, so that those that run need not be looked for elsewhere. */
  readonly listsOfRecords: readonly WantedList[]
  /** Whether it asks for kinds of jobs, and not for all or by their metadata alone. */
  readonly isNarrow: boolean
  /** Whether jobs that run are asked for, and not those that wait among which they are: leases tell of them. */
  readonly running: boolean
}

/** With the ends that most jobs have first: the others are read no further back. */
const ends: readonly TerminalStatus[] = ['succeeded', 'failed', 'expired', 'cancelled']

const liveStatuses: readonly JobStatus[] = ['queued', 'running', 'parked']

/** The last time that an id of ours can have, in the year 3084. */
const latestMs = 32 ** 9 - 1

export const wantedBy = (filter: JobFilter, { keys }: MetadataIndex): Wanted => {
  const { tenant, route, provider = '', statuses, errorCode, createdFromMs, createdToMs } = filter
  const ended = ends.filter(status => statuses.length === 0 || statuses.includes(status))
  const live = errorCode === undefined ? liveJobs(statuses) : { lists: [], running: false }
  const lists = ended
    .filter(status => errorCode === undefined || status !== 'succeeded')
    .map((status): WantedList => [status, errorCode ?? false, []])
  const metadata = Object.entries(filter.metadata)
  const all = [...lists, ...live.lists]
  const liveStates = liveStatuses.filter(status => statuses.includes(status))
  const hasLive = errorCode === undefined && (statuses.length === 0 || liveStates.length > 0)
  const from = timeChars(Math.min(createdFromMs, latestMs))
  const isIndexed = ([key]: readonly [string, string]): boolean => keys.includes(key)
  const inLines = metadata.filter(isIndexed)
  return {
    before: createdToMs > latestMs ? '' : timeChars(createdToMs),
    from,
    oldest: scoreOf(from),
    start:
      tenant === null
        ? ''
        : `\n${tenant === 'default' ? '' : tenant}\n${route === undefined || isWildcard(route) ? '' : `${route}\n`}`,
    route: route ?? '',
    provider,
    indexed: {
      lines: inLines.map(pair => `\n${pairLine(...pair)}`),
      pairs: inLines.map(pair => pairText(...pair)),
    },
    pairs: metadata.filter(pair => !isIndexed(pair)).map(pair => pairText(...pair)),
    lists: all,
    listsOfRecords: hasLive ? [...lists, ['open', false, liveStates]] : lists,
    isNarrow:
      tenant !== null || route !== undefined || provider !== '' || all.some(([, why]) => why !== false),
    running: live.running,
  }
}

/** Entries tell those that are parked from the others; which of the others run, leases tell, or their records. */
const liveJobs = (statuses: readonly JobStatus[]): Pick<Wanted, 'lists' | 'running'> => {
  const asked = (status: JobStatus): boolean => statuses.length === 0 || statuses.includes(status)
  const [queued, running, parked] = [asked('queued'), asked('running'), asked('parked')]
  if (queued) {
    const states = running ? [] : (['queued', ...(parked ? ['parked'] : [])] as JobStatus[])
    return { lists: [['open', parked ? false : '', states]], running: false }
  }
  return { lists: parked ? [['open', 'parked', []]] : [], running }
}
