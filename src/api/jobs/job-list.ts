import type { FastifyRequest } from 'fastify'
import { BatonError } from '../../domain/errors.ts'
import { type JobFilter, matchesFilter } from '../../jobs/job-filter.ts'
import { cursorAfter, isListCursor, listStart } from '../../jobs/job-lists.ts'
import { withPlainUrl } from '../../jobs/plain-url.ts'
import { withoutQuotes } from '../../jobs/quotes.ts'
import type { JobRecord } from '../../jobs/record.ts'
import { jobSummary } from '../../jobs/view.ts'
import type { JobCount } from '../operator/job-view.ts'
import type { ApiParts, ApiScope } from '../parts.ts'
import { filterOf, jobRow } from './job-rows.ts'
import { jobCountQuery, jobListQuery } from './request-schemas.ts'
import { findUnfinishedLines, mayBeUnfinishedLines, parseLineCursor } from './unfinished-lines.ts'

/** A filter that matches little must not go over all of many jobs in one request: the page ends, and says so. */
const pageMs = 250

interface Scan {
  readonly found: readonly JobRecord[]
  /** Where the next page begins; null at the end. */
  readonly nextCursor: string | null
  /** Of a list of one batch's lines: see `LinePage`. */
  readonly collected?: number
  /** Present when the page ended because its time was up: the jobs that were looked at. */
  readonly scanned?: number
}

/**
 * `GET /v1/jobs`: the tenant's jobs, newest first. With a `status` that is not final, unfinished lines of the
 * tenant's batches come first; with `batch_id` only those of that batch. `GET /v1/jobs/count` counts jobs.
 */
export const addJobListRoutes = (
  scope: ApiScope,
  parts: Pick<ApiParts, 'batches' | 'config' | 'jobLists' | 'store'>,
): void => {
  /** An operator who lists the jobs of others sees what the operator's view shows. */
  const viewFor = ({ tenant, query }: FastifyRequest) => {
    const isRow = (query as { view?: 'row' }).view === 'row'
    return (record: JobRecord): object => {
      if (isRow) return jobRow(record)
      const job = jobSummary(record)
      if (record.tenant === tenant) return job
      return withPlainUrl(parts.config.ui.show_content ? job : withoutQuotes(job))
    }
  }

  scope.get('/v1/jobs/count', { schema: { querystring: jobCountQuery } }, async request => {
    const endsAt = performance.now() + pageMs
    const counted = await parts.jobLists.count(
      filterOf(request, request.query),
      () => performance.now() < endsAt,
    )
    return counted satisfies JobCount
  })

  scope.get('/v1/jobs', { schema: { querystring: jobListQuery } }, async request => {
    const { limit, cursor = null } = request.query
    const view = viewFor(request)
    const filter = filterOf(request, request.query)
    const batchId = request.query.batch_id ?? request.query.batch
    const linePlace = cursor === null ? null : parseLineCursor(cursor)
    if (cursor !== null && linePlace === null && (batchId !== undefined || !isListCursor(cursor))) {
      throw new BatonError('invalid_cursor', '`cursor` must be the `next_cursor` of an earlier page.', {
        param: 'cursor',
      })
    }
    const matches = (record: JobRecord | null) => matchesFilter(filter, record)
    const beginsWithLines = batchId !== undefined || mayBeUnfinishedLines(filter.statuses)
    const lines =
      linePlace !== null || (cursor === null && beginsWithLines)
        ? await findUnfinishedLines(parts, filter.tenant, linePlace, limit, matches, batchId)
        : null
    if (lines !== null && (lines.nextCursor !== null || batchId !== undefined)) return page(lines, view)
    const before = lines?.found ?? []
    if (before.length === limit) return page({ found: before, nextCursor: listStart }, view)
    const rest = await scan(parts, lines === null ? cursor : null, limit - before.length, filter)
    return page({ ...rest, found: [...before, ...rest.found] }, view)
  })
}

const page = (
  { found, nextCursor, scanned, collected }: Scan,
  view: (record: JobRecord) => object,
): object => ({
  object: 'list',
  data: found.map(view),
  has_more: nextCursor !== null,
  next_cursor: nextCursor,
  ...(collected !== undefined && { collected }),
  ...(scanned !== undefined && { complete: false, scanned }),
})

/** Reads on until the page is full, the lists end, or its time is up. */
const scan = async (
  { jobLists, store }: Pick<ApiParts, 'jobLists' | 'store'>,
  cursor: string | null,
  limit: number,
  filter: JobFilter,
): Promise<Scan> => {
  const walk = jobLists.walk(filter, cursor)
  const found: JobRecord[] = []
  for (const startedAt = performance.now(); ; ) {
    // One more than asked for shows whether there is a next page.
    const step = await walk.next(limit + 1 - found.length)
    for (const record of await store.readHeads(step.ids)) {
      if (!matchesFilter(filter, record)) continue
      if (found.length === limit) return { found, nextCursor: cursorAfter(found.at(-1)!.id) }
      found.push(record)
    }
    if (step.cursor === null) return { found, nextCursor: null }
    if (performance.now() - startedAt > pageMs)
      return { found, nextCursor: step.cursor, scanned: walk.scanned }
  }
}
