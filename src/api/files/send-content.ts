import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { BatonError } from '../../domain/errors.ts'
import { BlobNotFoundError, type BlobStore, type ByteRange } from '../../files/blobs/blob-store.ts'
import { readFile } from '../../files/read-file.ts'
import { bytesOf, type Segment } from '../../files/record.ts'

export interface Content {
  readonly segments: readonly Segment[]
  readonly filename: string
  /** `application/octet-stream` where the bytes are a client's own. */
  readonly type?: string
  /** There may be more later. */
  readonly isGrowing?: boolean
}

/**
 * Answers with a file's bytes: all, or the one range asked for; only the headers to a HEAD. Throws
 * BlobNotFoundError while nothing is sent; later the connection is cut, which a client sees by the length.
 */
export const sendContent = async (
  blobs: BlobStore,
  request: FastifyRequest,
  reply: FastifyReply,
  { segments, filename, type = 'application/octet-stream', isGrowing = false }: Content,
): Promise<FastifyReply> => {
  const size = bytesOf(segments)
  const range = parseRange(request.headers.range, size)
  reply.header('accept-ranges', 'bytes')
  if (range === 'unsatisfiable' && isGrowing && beginsAt(request.headers.range, size)) {
    // The client that follows the file has all there is.
    return reply.code(204).send()
  }
  if (range === 'unsatisfiable') {
    reply.header('content-range', `bytes */${size}`)
    throw new BatonError('range_not_satisfiable', `The file has ${size} bytes.`)
  }
  const { start, end } = range ?? { start: 0, end: size }
  const source = request.method === 'HEAD' ? null : await begun(readFile(blobs, segments, { start, end }))
  if (range !== null) reply.code(206).header('content-range', `bytes ${start}-${end - 1}/${size}`)
  return reply
    .header('content-type', type)
    .header('content-length', end - start)
    .header('content-disposition', dispositionOf(filename))
    .header('x-content-type-options', 'nosniff')
    .send(source === null ? undefined : Readable.from(source, { objectMode: false }))
}

/** Reads ahead to the first bytes, so that a missing file can still be answered with an error. */
const begun = async (chunks: AsyncGenerator<Uint8Array, void>): Promise<AsyncIterable<Uint8Array>> => {
  let ahead: IteratorResult<Uint8Array, void> | null = await chunks.next()
  const iterator: AsyncIterator<Uint8Array, void> = {
    next: async () => {
      const first = ahead
      ahead = null
      return first ?? chunks.next()
    },
    // Not a generator: ended before its start, that would leave the blob open.
    return: () => chunks.return(),
  }
  return { [Symbol.asyncIterator]: () => iterator }
}

/** RFC 6266: a plain name for old clients, and the whole one. */
const dispositionOf = (filename: string): string => {
  const plain = filename.replace(/[^\x20-\x7e]|["\\%]/g, '_')
  const encoded = encodeURIComponent(filename.toWellFormed()).replace(
    /['()*]/g,
    c => `%${c.charCodeAt(0).toString(16)}`,
  )
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`
}

/** `notFound` in place of a blob that was purged since its file's record was read. */
export const orNotFound =
  (notFound: () => BatonError) =>
  (error: unknown): never => {
    throw error instanceof BlobNotFoundError ? notFound() : error
  }

/**
 * The part that a `Range` header asks for (RFC 9110), of something of `size` bytes. Null: all of it, also for
 * several ranges and other units, which a server is free to ignore.
 */
export const parseRange = (header: string | undefined, size: number): ByteRange | 'unsatisfiable' | null => {
  const range = /^bytes=\s*(\d*)-(\d*)\s*$/.exec(header ?? '')
  if (range === null) return null
  const [, first = '', last = ''] = range
  if (first === '' && last === '') return null
  if (first === '') {
    const length = Math.min(Number(last), size)
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size }
  }
  if (last !== '' && Number(last) < Number(first)) return null
  if (Number(first) >= size) return 'unsatisfiable'
  return { start: Number(first), end: last === '' ? size : Math.min(Number(last) + 1, size) }
}

/** Whether a range begins where the bytes end. */
const beginsAt = (header: string | undefined, size: number): boolean =>
  Number(/^bytes=\s*(\d+)-/.exec(header ?? '')?.[1] ?? Number.NaN) === size
