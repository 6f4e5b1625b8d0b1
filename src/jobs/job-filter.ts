import { isTerminal, type JobStatus } from '../domain/job.ts'
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

/** Whether a filter lets every job of a tenant, or of all, through: then nothing need be looked at. */
export const isOpenFilter = (filter: JobFilter): boolean =>
  textsOf(filter).length === 0 &&
  filter.statuses.length === 0 &&
  filter.route === undefined &&
  filter.createdFromMs === 0 &&
  filter.createdToMs === Number.MAX_SAFE_INTEGER

/** Texts of which one stands in one of these fields of a record that the filter wants. */
type Wanted = readonly [fields: readonly string[], texts: readonly string[]]

const textsOf = ({ provider, errorCode, metadata }: JobFilter): readonly Wanted[] => {
  const wanted: Wanted[] = Object.entries(metadata).map(([key, value]) => [
    ['metadata'],
    [`${JSON.stringify(key)}:${JSON.stringify(value)}`],
  ])
  // The text of a job's error may be told in other words than it was written with, but not its code.
  if (errorCode !== undefined) wanted.push([['result'], [`"code":${JSON.stringify(errorCode)}`]])
  if (provider !== undefined) {
    const start = formatTarget({ provider, model: '' })
    const name = JSON.stringify(provider)
    wanted.push([
      ['target', 'result', 'attempts'],
      [start, `"provider":${name}`],
    ])
  }
  return wanted
}

/** A filter as `pick.lua` takes it. */
export const encodeFilter = (filter: JobFilter): readonly unknown[] => [
  filter.statuses,
  filter.tenant ?? '',
  filter.route ?? '',
  filter.createdFromMs,
  filter.createdToMs,
  textsOf(filter),
]
