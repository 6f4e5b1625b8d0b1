import { createHash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { idempotencyKeyOf } from './idempotency.ts'

/** Which request this is, and whether the client may have sent it before. */
export interface RequestFingerprint {
  /** The same exactly when tenant, path, `Idempotency-Key` and what was described are. */
  readonly fingerprint: string
  readonly replay: boolean
}

/** The official clients send a request again whose answer they did not get, and say so here. They send no key. */
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
