import type { FastifyRequest } from 'fastify'
import { BatonError } from '../../domain/errors.ts'
import type { FileRecord } from '../../files/record.ts'
import type { FileStore } from '../../files/store.ts'
import { isFileId } from '../../redis/keys.ts'
import type { ApiParts } from '../parts.ts'
import { type GrowingFile, growingFiles } from './growing-files.ts'

/** The tenant's file. Throws `file_not_found`, also for the file of another tenant. */
export const findOwnedFile = async (
  files: FileStore,
  request: FastifyRequest,
  id: string,
): Promise<FileRecord> => {
  const file = isFileId(id) ? await files.read(id) : null
  if (file === null || file.tenant !== request.tenant) throw fileNotFound(id)
  return file
}

/** The same, or the file of a batch that still runs. */
export const findReadableFile = async (
  { files, batches }: Pick<ApiParts, 'files' | 'batches'>,
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

/** In OpenAI's words. */
export const fileNotFound = (id: string): BatonError =>
  new BatonError('file_not_found', `No such File object: ${id}`, { param: 'id' })
