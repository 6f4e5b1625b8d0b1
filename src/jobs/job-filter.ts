import { isTerminal, type JobStatus, type TerminalStatus } from '../domain/job.ts'
import { type ListedState, timeChars } from '../redis/keys.ts'
import { formatTarget, type JobRecord } from './record.ts'
import { answeredBy } from './view.ts'

/** What a list of jobs is to hold; what is absent is not asked for. */
export interface JobFilter {
  /** Null for the jobs of all tenants. */
  readonly tenant: string | null
  /** Of one of these; none for any. */
  readonly statuses: readonly JobStatus[]
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

export const matchesFilter = (filter: JobFilter, record: JobRecord | null): record is JobRecord => {
  if (record === null) return false
  const { tenant, statuses, route, provider, errorCode, metadata, createdFromMs, createdToMs } = filter
  return (
    (tenant === null || record.tenant === tenant) &&
    (statuses.length === 0 || statuses.includes(record.status)) &&
    (route === undefined || record.model === route) &&
    (provider === undefined || answeredBy(record).provider === provider) &&
    (errorCode === undefined || (isTerminal(record.status) && record.error?.code === errorCode)) &&
    record.createdAtMs >= createdFromMs &&
    record.createdAtMs < createdToMs &&
    Object.entries(metadata).every(([key, value]) => record.metadata[key] === value)
  )
}

/** A list as `list.lua` takes it: its name, texts that an entry has, and texts of which one stands in one of these fields of the record. */
export type WantedList = readonly [
  list: ListedState,
  texts: readonly string[],
  ofRecord: readonly (readonly [fields: readonly string[], texts: readonly string[]])[],
]

/** What a filter asks the lists of a shard for. They may let too many jobs through, and none too few. */
export interface Wanted {
  /** What the ids sort before; '' for the newest. */
  readonly before: string
  /** The least score. */
  readonly oldest: number
  /** How an entry goes on behind its id; '' for any. */
  readonly start: string
  readonly lists: readonly WantedList[]
}

/** With the ends that most jobs have first: the others are read no further back. */
const ends: readonly TerminalStatus[] = ['succeeded', 'failed', 'expired', 'cancelled']

/** The last time that an id of ours can have, in the year 3084. */
const latestMs = 32 ** 9 - 1

export const wantedBy = (filter: JobFilter): Wanted => {
  const { tenant, route, statuses, errorCode, createdFromMs, createdToMs } = filter
  const live = statuses.filter(status => !isTerminal(status))
  const ended = ends.filter(status => statuses.length === 0 || statuses.includes(status))
  const lists = ended
    .filter(status => errorCode === undefined || status !== 'succeeded')
    .map(status => endedJobs(filter, status))
  if (errorCode === undefined && (statuses.length === 0 || live.length > 0))
    lists.push(liveJobs(filter, live))
  const routeLine = route === undefined ? '' : `${route}\n`
  return {
    before: createdToMs > latestMs ? '' : timeChars(createdToMs),
    oldest: scoreOf(timeChars(Math.min(createdFromMs, latestMs))),
    start: tenant === null ? '' : `\n${tenant === 'default' ? '' : tenant}\n${routeLine}`,
    lists,
  }
}

/** As `score_of` in the prelude has it of an id without its prefix, or of a beginning of it. */
export const scoreOf = (id: string): number => Number.parseInt(id.padEnd(11, '0').slice(1, 11), 36)

/** Whether the lists let none through that the filter does not want: a route may be called like another line. */
export const isTold = ({ tenant, route, provider }: JobFilter): boolean =>
  provider === undefined && (tenant !== null || route === undefined)

const ofMetadata = ({ metadata }: JobFilter): WantedList[2] =>
  Object.entries(metadata).map(([key, value]) => [
    ['metadata'],
    [`${JSON.stringify(key)}:${JSON.stringify(value)}`],
  ])

/** Of all tenants, the line of the route may be another's. */
const routeIn = ({ tenant, route }: JobFilter): string[] =>
  tenant === null && route !== undefined ? [`\n${route}\n`] : []

const endedJobs = (filter: JobFilter, status: TerminalStatus): WantedList => {
  const { provider, errorCode } = filter
  const texts = routeIn(filter)
  if (provider !== undefined) texts.push(`\n${formatTarget({ provider, model: '' })}`)
  if (errorCode !== undefined) texts.push(`\n${errorCode}\n`)
  return [status, texts, ofMetadata(filter)]
}

const liveJobs = (filter: JobFilter, statuses: readonly JobStatus[]): WantedList => {
  const { provider } = filter
  const ofRecord = [...ofMetadata(filter)]
  if (statuses.length > 0) ofRecord.push([['state'], statuses])
  if (provider !== undefined) ofRecord.push([['target'], [formatTarget({ provider, model: '' })]])
  return ['open', routeIn(filter), ofRecord]
}
