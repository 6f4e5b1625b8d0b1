import type { FastifyRequest } from 'fastify'
import { BatonError } from '../domain/errors.ts'
import type { FileRecord } from '../store/file-record.ts'
import type { FileStore } from '../store/file-store.ts'
import { isFileId } from '../store/keys.ts'

/** The tenant's file. Throws `file_not_found`, also for the file of another tenant. */
export const ownedFile = async (
  files: FileStore,
  request: FastifyRequest,
  id: string,
): Promise<FileRecord> => {
  const file = isFileId(id) ? await files.read(id) : null
  if (file === null || file.tenant !== request.tenant) throw fileNotFound(id)
  return file
}

/** In OpenAI's words. */
export const fileNotFound = (id: string): BatonError =>
  new BatonError('file_not_found', `No such File object: ${id}`, { param: 'id' })
