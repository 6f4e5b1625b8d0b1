import { BatonError } from '../../domain/errors.ts'
import { parseCursor } from '../../jobs/index-stream.ts'
import { isOpenFilter, type JobFilter, matchesFilter } from '../../jobs/job-filter.ts'
import { entriesPerPick, type PickedJobs } from '../../jobs/pick-jobs.ts'
import type { JobRecord } from '../../jobs/record.ts'
import { jobSummary } from '../../jobs/view.ts'
import type { ApiParts, ApiScope } from '../parts.ts'
import { filterOf, jobRow } from './job-rows.ts'
import { jobListQuery } from './request-schemas.ts'
import { findUnfinishedLines, mayBeUnfinishedLines, parseLineCursor } from './unfinished-lines.ts'

/** Newer than any job. */
const indexStart = '9999999999999-0-0'
/** A filter that matches little must not go over all of a large index in one request. */
const maxScanned = 400_000
const scanPage = 200

interface Scan {
  readonly found: readonly JobRecord[]
  /** Where the next page begins; null at the end. */
  readonly nextCursor: string | null
}

/**
 * `GET /v1/jobs`: the tenant's jobs, newest first. With a `status` that is not final, unfinished lines of the
 * tenant's batches come first; with `batch_id` only those of that batch.
 */
export const addJobListRoute = (
  scope: ApiScope,
  parts: Pick<ApiParts, 'batches' | 'index' | 'pickJobs' | 'store'>,
): void => {
  scope.get('/v1/jobs', { schema: { querystring: jobListQuery } }, async request => {
    const { limit, cursor = null, view } = request.query
    const filter = filterOf(request, request.query)
    const batchId = request.query.batch_id ?? request.query.batch
    const linePlace = cursor === null ? null : parseLineCursor(cursor)
    if (cursor !== null && linePlace === null && (batchId !== undefined || parseCursor(cursor) === null)) {
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
    if (lines !== null && (lines.nextCursor !== null || batchId !== undefined))
      return page(lines.found, lines.nextCursor, view)
    const before = lines?.found ?? []
    if (before.length === limit) return page(before, indexStart, view)
    const rest = await scan(parts, lines === null ? cursor : null, limit - before.length, filter)
    return page([...before, ...rest.found], rest.nextCursor, view)
  })
}

const page = (found: readonly JobRecord[], nextCursor: string | null, view: 'row' | undefined): object => ({
  object: 'list',
  data: found.map(record => (view === 'row' ? jobRow(record) : jobSummary(record))),
  has_more: nextCursor !== null,
  next_cursor: nextCursor,
})

/** Reads on until the page is full, the index ends, or enough was looked at for one request. */
const scan = async (
  parts: Pick<ApiParts, 'index' | 'pickJobs' | 'store'>,
  cursor: string | null,
  limit: number,
  filter: JobFilter,
): Promise<Scan> => {
  const found: JobRecord[] = []
  let place = cursor
  let scanned = 0
  while (scanned < maxScanned) {
    // One more than asked for shows whether there is a next page.
    const picked = await look(parts, filter, place, scanned === 0 ? limit + 1 : scanPage)
    const records = await parts.store.readHeads(picked.entries.map(entry => entry.id))
    for (const [i, record] of records.entries()) {
      if (!matchesFilter(filter, record)) continue
      if (found.length === limit) return { found, nextCursor: place }
      found.push(record)
      place = picked.entries[i]!.cursor
    }
    if (picked.cursor === null) return { found, nextCursor: null }
    place = picked.cursor
    scanned += isOpenFilter(filter) ? scanPage : entriesPerPick
  }
  return { found, nextCursor: place }
}

const look = async (
  { index, pickJobs }: Pick<ApiParts, 'index' | 'pickJobs'>,
  filter: JobFilter,
  place: string | null,
  size: number,
): Promise<PickedJobs> => {
  if (!isOpenFilter(filter)) return pickJobs(filter, place, size)
  const entries = await index.list(place, size)
  return { entries, cursor: entries.length < size ? null : entries.at(-1)!.cursor }
}
