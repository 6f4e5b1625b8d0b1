import { createHash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import type { Submission } from '../../dispatch/submit.ts'
import { BatonError } from '../../domain/errors.ts'
import { headersKey, type RequestHeaders } from '../../domain/request-headers.ts'

const keyHeader = 'idempotency-key'

/** The request's `Idempotency-Key`; null without one. Throws `invalid_request`. */
export const idempotencyKeyOf = (request: FastifyRequest): string | null => {
  const key = request.headers[keyHeader]
  if (key === undefined) return null
  if (typeof key !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw new BatonError('invalid_request', 'Idempotency-Key: expected 1 to 255 visible ASCII characters.', {
      param: 'Idempotency-Key',
    })
  }
  return key
}

/**
 * What makes a repeated request the same request, or null without an `Idempotency-Key`. `describe` gives a
 * text that is the same exactly when the request's body is; it is asked for only with a key, since it may be
 * long. `headers`: those that go on to the provider.
 */
export const idempotencyOf = (
  request: FastifyRequest,
  headers: RequestHeaders,
  describe: () => string,
): Submission['idempotency'] => {
  const key = idempotencyKeyOf(request)
  if (key === null) return null
  return { key, request: `${request.routeOptions.url}${headersKey(headers)}\n${describe()}` }
}

export const hasIdempotencyKey = (request: FastifyRequest): boolean =>
  request.headers[keyHeader] !== undefined

/** Which request this is, and whether the client may have sent it before. */
interface RequestFingerprint {
  /** The same exactly when tenant, path, `Idempotency-Key` and what was described are. */
  readonly fingerprint: string
  readonly replay: boolean
}

/**
 * The official clients count here how often they repeated a request whose answer they did not get; they send
 * no key.
 */
const retryHeader = 'x-stainless-retry-count'

export const isRetried = ({ headers }: FastifyRequest): boolean => Number(headers[retryHeader]) > 0

/** `description` is the same exactly when the request is. */
export const fingerprintOf = (request: FastifyRequest, description: unknown): RequestFingerprint => {
  const key = idempotencyKeyOf(request)
  const words = JSON.stringify([request.tenant, request.routeOptions.url, key, description])
  return {
    fingerprint: createHash('sha256').update(words).digest('hex'),
    replay: key !== null || isRetried(request),
  }
}
