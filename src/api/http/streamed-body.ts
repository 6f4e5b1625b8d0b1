import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { BatonError } from '../../domain/errors.ts'
import { bodyStream, leaveBodiesUnparsed } from './body-stream.ts'

/** A request's body while it arrives, for those too long to be held. */
export interface StreamedBody {
  /**
   * To be read once. Rejects with BatonError `body_too_large`, or `invalid_json` when it breaks off. However
   * the reading ends, what the client still sends is dropped, so that it comes to read the answer.
   */
  readonly bytes: AsyncIterable<Uint8Array>
  /** SHA-256 of all bytes, in hex; after their end. */
  hash(): string
}

/** Lets only JSON into this scope, and leaves it to `incomingBody`. */
export const acceptStreamedJson = (scope: FastifyInstance): void => {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('application/json', (_request, _payload, done) => done(null))
  scope.addContentTypeParser('*', (_request, _payload, done) => done(notJson()))
  leaveBodiesUnparsed(scope)
}

/**
 * Throws `unsupported_media_type` without a body; `body_too_large` at once where `content-length` says so.
 */
export const streamBody = ({ raw, headers }: FastifyRequest, maxBytes: number): StreamedBody => {
  if (headers['content-type'] === undefined) throw notJson()
  if (Number(raw.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes)
  const body = bodyStream(raw)
  const hash = createHash('sha256')
  // A client may go after the reading has ended.
  raw.on('error', () => undefined)

  async function* bytes(): AsyncGenerator<Uint8Array, void, undefined> {
    let count = 0
    try {
      // Left undestroyed: the answer goes out on the same connection.
      for await (const chunk of body.iterator({
        destroyOnReturn: body !== raw,
      }) as AsyncIterable<Uint8Array>) {
        count += chunk.length
        if (count > maxBytes) throw tooLarge(maxBytes)
        hash.update(chunk)
        yield chunk
      }
    } catch (error) {
      throw error instanceof BatonError ? error : brokenOff(error)
    } finally {
      raw.resume()
    }
  }
  return { bytes: bytes(), hash: () => hash.digest('hex') }
}

const notJson = (): BatonError =>
  new BatonError('unsupported_media_type', 'Send `content-type: application/json`.')

const tooLarge = (maxBytes: number): BatonError =>
  new BatonError('body_too_large', `The body is larger than the ${maxBytes} bytes that it may have.`)

const brokenOff = (cause: unknown): BatonError =>
  new BatonError('invalid_json', 'The body broke off.', { cause })
