import type { FastifyRequest } from 'fastify'
import { type BatchRecord, hasEnded } from '../../batches/record.ts'
import type { BatchStore } from '../../batches/store.ts'
import type { FileRecord } from '../../files/record.ts'
import type { FilePage, FileQuery } from '../../files/store.ts'
import { isFileId } from '../../redis/keys.ts'
import { fileNotFound } from '../http/find-owned.ts'
import type { ApiParts } from '../parts.ts'

/**
 * How many of a tenant's newest batches are read: a list of files must not go through all there ever were.
 */
const batchesConsidered = 100

/** A file of a batch that still runs: it has bytes, and no record of its own before the end. */
export type GrowingFile = FileRecord & { readonly isGrowing: true }

export const growingFiles = async (
  batches: Pick<BatchStore, 'list'>,
  tenant: string,
): Promise<readonly GrowingFile[]> => {
  const page = await batches.list(tenant, 'openai', { limit: batchesConsidered })
  return page === 'unknown_cursor' ? [] : page.batches.flatMap(filesOf)
}

/** The tenant's file, or that of its batch which still runs. Throws `file_not_found`. */
export const findReadableFile = async (
  { files, batches }: Pick<ApiParts, 'batches' | 'files'>,
  request: FastifyRequest,
  id: string,
): Promise<FileRecord | GrowingFile> => {
  const file = isFileId(id) ? await files.read(id) : null
  if (file !== null && file.tenant === request.tenant) return file
  const growing = isFileId(id) ? await growingFiles(batches, request.tenant) : []
  const found = growing.find(other => other.id === id)
  if (found === undefined) throw fileNotFound(id)
  return found
}

const filesOf = (batch: BatchRecord): GrowingFile[] => {
  if (hasEnded(batch.status)) return []
  const fileOf = (id: string, name: string, bytes: number): GrowingFile => ({
    id,
    tenant: batch.tenant,
    purpose: 'batch_output',
    filename: `${batch.id}_${name}.jsonl`,
    bytes,
    createdAtMs: batch.createdAtMs,
    expiresAtMs: null,
    isGrowing: true,
  })
  return [
    fileOf(batch.outputFileId, 'output', batch.outputBytes),
    fileOf(batch.errorFileId, 'error', batch.errorBytes),
  ].filter(({ bytes }) => bytes > 0)
}

/** The page with those in their places: ids are ordered by time. */
export const withGrowing = (
  { files, hasMore }: FilePage,
  growing: readonly GrowingFile[],
  { after, limit, order, purpose }: FileQuery,
): { readonly files: readonly (FileRecord | GrowingFile)[]; readonly hasMore: boolean } => {
  const sign = order === 'asc' ? 1 : -1
  const compare = (a: string, b: string): number => (a === b ? 0 : a < b ? -sign : sign)
  // One may have got its record since.
  const known = new Set(files.map(({ id }) => id))
  const wanted = growing.filter(
    file =>
      !known.has(file.id) &&
      (purpose === null || purpose === file.purpose) &&
      (after === null || compare(file.id, after) > 0),
  )
  if (wanted.length === 0) return { files, hasMore }
  const all = [...files, ...wanted].toSorted((a, b) => compare(a.id, b.id))
  return { files: all.slice(0, limit), hasMore: hasMore || all.length > limit }
}
