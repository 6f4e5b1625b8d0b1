import type { FastifyRequest } from 'fastify'
import type { Config } from '../../config/schema.ts'
import type { Endpoint } from '../../domain/endpoint.ts'
import { BatonError } from '../../domain/errors.ts'
import { type RequestHeaders, sizeOfHeaders, travellingHeaders } from '../../domain/request-headers.ts'

/** They stand in the record of each job. */
const mostCharacters = 4_096

/**
 * The headers of a request that go on to the provider with it. Throws `invalid_request` where they are too
 * long.
 */
export const forwardedHeadersOf = (
  { config }: { readonly config: Config },
  request: FastifyRequest,
  endpoint: Endpoint,
): RequestHeaders => {
  const headers = travellingHeaders(request.headers, endpoint, config.server.forward_headers)
  if (sizeOfHeaders(headers) <= mostCharacters) return headers
  const names = Object.keys(headers)
  throw new BatonError(
    'invalid_request',
    `${names.join(', ')}: headers that go on to the provider may have ${mostCharacters} characters together.`,
    { param: names[0]! },
  )
}
