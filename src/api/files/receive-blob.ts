import { createHash, type Hash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { BatonError } from '../../domain/errors.ts'
import { BlobStoreError, BlobTooLargeError } from '../../files/blobs/blob-store.ts'
import { type Form, readForm } from '../http/multipart.ts'
import type { ApiParts } from '../parts.ts'
import { tooLarge } from './file-rules.ts'

/** Boundaries, headers and fields of a form beside its file. */
const formBytes = 1024 * 1024

export interface BlobTarget {
  /** The form's field that has the file. */
  readonly field: string
  readonly key: string
  /** How long the file may be, judging by the fields that came before it. */
  readonly maxBytes: (fields: ReadonlyMap<string, string>) => number
  /** The error for a longer one; `file_too_large` by default. */
  readonly beyond?: (maxBytes: number) => BatonError
}

export interface ReceivedBlob {
  readonly filename: string | null
  readonly bytes: number
  /** SHA-256, in hex. */
  readonly hash: string
}

/**
 * Writes the file of a form to the blob store as it arrives, never holding more of it than a few chunks. When
 * this rejects, the blob may be there nevertheless: the form can turn out wrong after its file.
 */
export const receiveBlob = async (
  { blobs }: Pick<ApiParts, 'blobs'>,
  request: FastifyRequest,
  { field, key, maxBytes, beyond = limit => tooLarge(limit, field) }: BlobTarget,
): Promise<Form<ReceivedBlob>> => {
  const most = maxBytes(new Map())
  // Before anything of it is written, where `content-length` says so.
  if (Number(request.headers['content-length'] ?? 0) > most + formBytes) throw beyond(most)
  return readForm(request, field, async ({ filename, bytes }, before) => {
    const limit = maxBytes(before)
    const hash = createHash('sha256')
    try {
      const written = await blobs.write(key, hashed(bytes, hash), { maxBytes: limit })
      if (written.bytes === 0) throw new BatonError('empty_file', 'The file is empty.', { param: field })
      return { filename, bytes: written.bytes, hash: hash.digest('hex') }
    } catch (error) {
      throw error instanceof BlobTooLargeError ? beyond(limit) : error
    }
  })
}

async function* hashed(bytes: AsyncIterable<Uint8Array>, hash: Hash): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    hash.update(chunk)
    yield chunk
  }
}

/**
 * Throws trouble with the blob store as an error that asks the client to come again; the blob store logs the
 * cause.
 */
export const asStorageTrouble = (error: unknown): never => {
  if (!(error instanceof BlobStoreError)) throw error
  if (error.isFull) {
    throw new BatonError('storage_full', 'There is no room for files now.', {
      cause: error,
      retryAfterMs: 10_000,
    })
  }
  throw new BatonError('storage_unavailable', 'The blob store failed.', { cause: error, retryAfterMs: 2_000 })
}

/**
 * Discards a file that was reserved and never made, with its bytes. The purger removes what cannot be removed
 * now.
 */
export const discardFile = async (
  { files, log }: Pick<ApiParts, 'files' | 'log'>,
  id: string,
): Promise<void> => {
  try {
    await files.abandon(id)
  } catch (error) {
    log.debug(
      { event: 'file.purge_deferred', fileId: id, reason: (error as Error).name },
      'file left to the purger',
    )
  }
}
