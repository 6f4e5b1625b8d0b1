import { useEffect, useState } from 'preact/hooks'
import type { JobRow } from '../../src/api/operator/job-view.ts'
import { count, dollars, span, zone } from '../format.ts'
import { asked, Choice, Entry, FilterBar, Moment } from '../parts/filter-bar.tsx'
import { Shown } from '../parts/shown.tsx'
import { State } from '../parts/state.tsx'
import { type Column, Table } from '../parts/table.tsx'
import { Age, Time } from '../parts/time.tsx'
import { liveMs, useReading } from '../reading.ts'
import { hrefWith, location_ } from '../router.ts'
import { type CutPage, useSearchOn } from '../search-on.ts'
import { jobRows, moreTopics, session } from '../store.ts'
import { withQuery } from '../with-query.ts'
import { fromField, toField } from '../zone.ts'

export interface JobPage extends CutPage<JobRow> {
  readonly has_more: boolean
  /** Of a batch's lines: how many stand in its files, and are no jobs any more. */
  readonly collected?: number
}

const unfinished = 'queued,running,parked'
const statuses = [
  [unfinished, 'not ended'],
  'queued',
  'running',
  'parked',
  'succeeded',
  ['failed,expired,cancelled', 'not succeeded'],
  'failed',
  'expired',
  'cancelled',
] as const

const inMetadata = 'meta.'

/** `meta.user=42` of the address, and so on. */
const askedMetadata = (): (readonly [key: string, value: string])[] =>
  [...location_.value.searchParams]
    .filter(([name]) => name.startsWith(inMetadata))
    .map(([name, value]) => [name.slice(inMetadata.length), value])

const pageRows = 50

/** What the API is asked for what the address asks of the page. */
const listPath = (cursor = asked('cursor'), limit = pageRows): string => {
  const metadata = askedMetadata().map(([key, value]) => [`metadata.${key}`, value])
  return withQuery('/v1/jobs', {
    ...{ view: 'row', limit: String(limit), tenant: asked('tenant') || '*' },
    ...{ status: asked('status'), route: asked('route'), provider: asked('provider'), batch: asked('batch') },
    ...{ error_code: asked('code'), created_from: asked('from'), created_to: asked('to') },
    ...Object.fromEntries(metadata),
    cursor,
  })
}

/** Which jobs are there, of all tenants, newest first? */
export const Jobs = () => {
  const path = listPath()
  const reading = useReading<JobPage>(path, liveMs)
  return (
    <>
      <JobFilters />
      <Shown of={reading}>{page => <JobList key={path} page={page} />}</Shown>
    </>
  )
}

const JobFilters = () => {
  const facets = session.value?.facets
  const keys = facets?.metadata_keys ?? []
  const otherPair = askedMetadata().find(([key]) => !keys.includes(key))
  const timeOf = (name: string): string => (asked(name) === '' ? '' : toField(Number(asked(name))))
  return (
    <FilterBar
      read={({ metadata: pair = '', from = '', to = '', ...fields }) => {
        const [, key, value] = /^([^=]+)=(.*)$/.exec(pair) ?? []
        return {
          ...fields,
          ...(key !== undefined && { [inMetadata + key.trim()]: value!.trim() }),
          from: fromField(from)?.toString() ?? null,
          to: fromField(to)?.toString() ?? null,
        }
      }}
    >
      <Choice name="status" label="Status" of={statuses} />
      <Choice name="route" label="Route" of={facets?.routes ?? []} />
      <Choice name="provider" label="Provider" of={facets?.providers ?? []} />
      <Choice name="code" label="Error code" of={facets?.error_codes ?? []} />
      <Choice name="tenant" label="Tenant" of={facets?.tenants ?? []} />
      <Entry name="batch" label="Batch" />
      {keys.map(key => (
        <Entry key={key} name={inMetadata + key} label={key} />
      ))}
      <Entry
        name="metadata"
        label={keys.length === 0 ? 'Metadata' : 'Other metadata'}
        placeholder="key=value"
        value={otherPair?.join('=') ?? ''}
      />
      <Moment name="from" label={`Created from, ${zone()}`} value={timeOf('from')} />
      <Moment name="to" label={`to, ${zone()}`} value={timeOf('to')} />
    </FilterBar>
  )
}

/** The stream tells of the rows that are shown and may still change. */
export const useRows = (rows: readonly JobRow[]): void => {
  const ids = rows
    .filter(({ finished_at }) => finished_at === null)
    .map(({ id }) => id)
    .slice(0, pageRows)
    .join()
  useEffect(() => {
    moreTopics.value = ids === '' ? [] : [`rows:${ids}`]
    return () => {
      moreTopics.value = []
    }
  }, [ids])
}

/** The rows that were there stay where they are and change; those that came since are told of, and shown on demand. */
const JobList = ({ page }: { readonly page: JobPage }) => {
  const [first, setFirst] = useState(page)
  const { found, isSearching, stop } = useSearchOn<JobRow, JobPage>(first, pageRows, listPath)
  const now = new Map(page.data.map(row => [row.id, row]))
  const shown = found.data.map(row => jobRows.value.get(row.id) ?? now.get(row.id) ?? row)
  useRows(shown)
  // What was found only after a search does not come with each reading.
  const newest = page.data[0]?.id
  const hasNewer = newest !== undefined && newest !== found.data[0]?.id
  const next = isSearching ? null : found.next_cursor
  return (
    <>
      {hasNewer && (
        <p class="banner">
          There are newer jobs.{' '}
          <button type="button" onClick={() => setFirst(page)}>
            Show them
          </button>
        </p>
      )}
      <Table
        title="Jobs"
        rows={shown}
        columns={jobColumns}
        keyOf={({ id }) => id}
        empty={
          found.complete === false
            ? 'No job matches so far.'
            : 'No job matches. Ended ones are kept for the retention of the config.'
        }
      >
        {isSearching && (
          <p class="buttons muted" role="status">
            Searching… {count(found.scanned)} jobs were looked at so far.
            <button type="button" onClick={stop}>
              Stop
            </button>
          </p>
        )}
        {!isSearching && found.complete === false && (
          <p class="muted">{count(found.scanned)} jobs were looked at; there are older ones under More.</p>
        )}
        {(next !== null || asked('cursor') !== '') && (
          <p class="buttons">
            {asked('cursor') !== '' && (
              <a class="button" href={hrefWith({ cursor: null })}>
                Newest
              </a>
            )}
            {next !== null && (
              <a class="button" href={hrefWith({ cursor: next })}>
                More
              </a>
            )}
          </p>
        )}
      </Table>
    </>
  )
}

const jobHref = (id: string): string => `/ui/jobs/${id}${location_.value.search}`

export const jobColumns: readonly Column<JobRow>[] = [
  { head: 'Status', cell: ({ status }) => <State state={status} /> },
  {
    head: 'Job',
    cell: ({ id }) => (
      <a href={jobHref(id)} title={id}>
        <code>{id.length > 18 ? `${id.slice(0, 9)}…${id.slice(-7)}` : id}</code>
      </a>
    ),
  },
  { head: 'Route', cell: ({ route }) => <bdi>{route}</bdi> },
  { head: 'At / answered by', cell: ({ target }) => <bdi>{target}</bdi> },
  { head: 'Created', cell: ({ created_at }) => <Time at={created_at} /> },
  {
    head: 'Age or took',
    isNumber: true,
    cell: ({ created_at, finished_at }) =>
      finished_at === null ? <Age since={created_at} /> : span(finished_at - created_at),
  },
  { head: 'Tries', isNumber: true, cell: ({ attempts }) => count(attempts) },
  { head: 'Error', cell: ({ error_code }) => error_code ?? '' },
  { head: 'Cost', isNumber: true, cell: ({ cost_usd }) => dollars(cost_usd) },
]
