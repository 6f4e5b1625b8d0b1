import type { BatchRecord } from '../../batches/record.ts'
import { isTerminal, type JobStatus } from '../../domain/job.ts'
import type { JobRecord } from '../../jobs/record.ts'
import { batchJobId, isBatchId } from '../../redis/keys.ts'
import type { ApiParts } from '../parts.ts'

/** Where the next page of lines begins: with the first line of that batch after this number. */
interface LineCursor {
  readonly batchId: string
  readonly number: number
}

export interface LinePage {
  readonly found: readonly JobRecord[]
  /** Null when there are no more. */
  readonly nextCursor: string | null
  /** Lines of the one batch that was asked for that stand in its files, and are no jobs any more. */
  readonly collected?: number
}

/** Lines looked at for one request. */
const maxScanned = 2_000
const readSize = 200

const formatLineCursor = ({ batchId, number }: LineCursor): string => `${batchId}.${number}`

export const parseLineCursor = (cursor: string): LineCursor | null => {
  const [batchId, number, ...rest] = cursor.split('.')
  const isPlace = isBatchId(batchId!) && /^\d{1,8}$/.test(number ?? '') && rest.length === 0
  return isPlace ? { batchId: batchId!, number: Number(number) } : null
}

/**
 * Lines of batches are in no list of jobs: those that were fed and are not collected are found through their
 * batches. Of one batch (`only`) those that have ended are shown as well, of all the others none has.
 */
export const findUnfinishedLines = async (
  { batches, store }: Pick<ApiParts, 'batches' | 'store'>,
  tenant: string | null,
  place: LineCursor | null,
  limit: number,
  matches: (record: JobRecord) => boolean,
  only: string | undefined,
): Promise<LinePage> => {
  const running =
    only === undefined
      ? await batches.listOpen(tenant ?? undefined)
      : await findOwnBatch(batches, tenant, only)
  // By id, which is by time: the oldest first, so that none is passed over when one ends meanwhile.
  const open = running
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .filter(({ id }) => place === null || id >= place.batchId)
  const found: JobRecord[] = []
  const collected = only === undefined ? {} : { collected: running[0]?.collected ?? 0 }
  let scanned = 0
  for (const { id, cursor } of open) {
    const after = place?.batchId === id ? place.number : 0
    for (let from = Math.max(after, cursor.lowWatermark); from < cursor.fed; from += readSize) {
      if (scanned >= maxScanned)
        return { found, nextCursor: formatLineCursor({ batchId: id, number: from }), ...collected }
      const numbers = Array.from({ length: Math.min(readSize, cursor.fed - from) }, (_, i) => from + i + 1)
      const records = await store.readHeads(numbers.map(number => batchJobId(id, number)))
      scanned += numbers.length
      for (const [i, record] of records.entries()) {
        if (record === null || (only === undefined && isTerminal(record.status)) || !matches(record)) continue
        if (found.length === limit)
          return {
            ...{ found, ...collected },
            nextCursor: formatLineCursor({ batchId: id, number: numbers[i]! - 1 }),
          }
        found.push(record)
      }
    }
  }
  return { found, nextCursor: null, ...collected }
}

const findOwnBatch = async (
  batches: ApiParts['batches'],
  tenant: string | null,
  id: string,
): Promise<readonly BatchRecord[]> => {
  const batch = await batches.read(id)
  return batch !== null && (tenant ?? batch.tenant) === batch.tenant ? [batch] : []
}

/** Whether jobs of a status may be lines of batches that run: a line that has ended is no job any more. */
export const mayBeUnfinishedLines = (statuses: readonly JobStatus[]): boolean =>
  statuses.some(status => !isTerminal(status))
