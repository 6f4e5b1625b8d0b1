import { BatonError } from '../../domain/errors.ts'
import type { JobStatus } from '../../domain/job.ts'
import { parseCursor } from '../../store/job-index.ts'
import type { JobRecord } from '../../store/job-record.ts'
import { jobSummary } from '../../store/job-view.ts'
import type { ApiScope } from '../api-scope.ts'
import type { ApiParts } from '../parts.ts'
import { jobListQuery } from '../schemas.ts'

/** A filter that matches little must not read the whole index in one request. */
const maxScanned = 2_000
const scanPage = 200

interface Scan {
  readonly found: readonly JobRecord[]
  /** Where the next page begins; null at the end. */
  readonly nextCursor: string | null
}

/** `GET /v1/jobs`: the tenant's jobs, newest first. */
export const addJobListRoute = (scope: ApiScope, parts: ApiParts): void => {
  scope.get('/v1/jobs', { schema: { querystring: jobListQuery } }, async request => {
    const { limit, cursor = null, status } = request.query
    if (cursor !== null && parseCursor(cursor) === null) {
      throw new BatonError('invalid_cursor', '`cursor` must be the `next_cursor` of an earlier page.', {
        param: 'cursor',
      })
    }
    const { found, nextCursor } = await scan(parts, cursor, limit, matcher(request.tenant, status))
    return {
      object: 'list',
      data: found.map(jobSummary),
      has_more: nextCursor !== null,
      next_cursor: nextCursor,
    }
  })
}

const matcher =
  (tenant: string, status: JobStatus | undefined) =>
  (record: JobRecord | null): record is JobRecord =>
    record !== null && record.tenant === tenant && (status === undefined || record.status === status)

/** Reads on until the page is full, the index ends, or enough was looked at for one request. */
const scan = async (
  { index, store }: ApiParts,
  cursor: string | null,
  limit: number,
  matches: (record: JobRecord | null) => record is JobRecord,
): Promise<Scan> => {
  const found: JobRecord[] = []
  let place = cursor
  let scanned = 0
  while (scanned < maxScanned) {
    // One more than asked for tells whether there is a next page.
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
