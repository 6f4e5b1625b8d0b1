import { BatonError } from '../../domain/errors.ts'
import type { JobStatus } from '../../domain/job.ts'
import { parseCursor } from '../../jobs/index-stream.ts'
import type { JobRecord } from '../../jobs/record.ts'
import { jobSummary } from '../../jobs/view.ts'
import type { ApiParts, ApiScope } from '../parts.ts'
import { jobListQuery } from './request-schemas.ts'
import { findUnfinishedLines, mayBeUnfinishedLines, parseLineCursor } from './unfinished-lines.ts'

/** Newer than any job. */
const indexStart = '9999999999999-0-0'
/** A filter that matches little must not read the whole index in one request. */
const maxScanned = 2_000
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
  parts: Pick<ApiParts, 'batches' | 'index' | 'store'>,
): void => {
  scope.get('/v1/jobs', { schema: { querystring: jobListQuery } }, async request => {
    const { limit, cursor = null, status, batch_id: batchId } = request.query
    const linePlace = cursor === null ? null : parseLineCursor(cursor)
    if (cursor !== null && linePlace === null && (batchId !== undefined || parseCursor(cursor) === null)) {
      throw new BatonError('invalid_cursor', '`cursor` must be the `next_cursor` of an earlier page.', {
        param: 'cursor',
      })
    }
    const matches = matcher(request.tenant, status)
    const beginsWithLines = batchId !== undefined || mayBeUnfinishedLines(status)
    const lines =
      linePlace !== null || (cursor === null && beginsWithLines)
        ? await findUnfinishedLines(parts, request.tenant, linePlace, limit, matches, batchId)
        : null
    if (lines !== null && (lines.nextCursor !== null || batchId !== undefined))
      return page(lines.found, lines.nextCursor)
    const before = lines?.found ?? []
    if (before.length === limit) return page(before, indexStart)
    const rest = await scan(parts, lines === null ? cursor : null, limit - before.length, matches)
    return page([...before, ...rest.found], rest.nextCursor)
  })
}

const page = (found: readonly JobRecord[], nextCursor: string | null): object => ({
  object: 'list',
  data: found.map(record => jobSummary(record)),
  has_more: nextCursor !== null,
  next_cursor: nextCursor,
})

const matcher =
  (tenant: string, status: JobStatus | undefined) =>
  (record: JobRecord | null): record is JobRecord =>
    record !== null && record.tenant === tenant && (status === undefined || record.status === status)

/** Reads on until the page is full, the index ends, or enough was looked at for one request. */
const scan = async (
  { index, store }: Pick<ApiParts, 'index' | 'store'>,
  cursor: string | null,
  limit: number,
  matches: (record: JobRecord | null) => record is JobRecord,
): Promise<Scan> => {
  const found: JobRecord[] = []
  let place = cursor
  let scanned = 0
  while (scanned < maxScanned) {
    // One more than asked for shows whether there is a next page.
    const size = scanned === 0 ? limit + 1 : scanPage
    const entries = await index.list(place, size)
    const records = await store.readHeads(entries.map(entry => entry.id))
    for (const [i, record] of records.entries()) {
      if (found.length === limit) return { found, nextCursor: place }
      if (matches(record)) found.push(record)
      place = entries[i]!.cursor
    }
    if (entries.length < size) return { found, nextCursor: null }
    scanned += entries.length
  }
  return { found, nextCursor: place }
}
