import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Dialect } from '../domain/endpoint.ts'
import { type BatonError, errorCodes } from '../domain/errors.ts'

/** An error as a client is told of it. */
export interface ErrorAnswer {
  readonly status: number
  readonly code: string
  readonly message: string
  readonly param: string | null
}

const anthropicPaths = /^\/v1\/messages(?=[/?]|$)/
/** Paths that both APIs have; Anthropic's clients tell themselves apart by `anthropic-version`. */
const sharedPaths = /^\/v1\/(models|files)(?=[/?]|$)/

/** In whose shape a request wants its errors and lists. */
export const dialectOfRequest = ({ url, headers }: FastifyRequest): Dialect =>
  anthropicPaths.test(url) || (headers['anthropic-version'] !== undefined && sharedPaths.test(url))
    ? 'anthropic'
    : 'openai'

const anthropicTypes: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  404: 'not_found_error',
  409: 'conflict_error',
  413: 'request_too_large',
  504: 'timeout_error',
}

const anthropicTypeOf = (status: number): string =>
  anthropicTypes[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error')

const openaiTypeOf = (status: number): string => {
  if (status === 401) return 'authentication_error'
  return status < 500 ? 'invalid_request_error' : 'server_error'
}

/** The error's JSON body. From 500 it also names the request, so that its line in the log can be found. */
export const errorBody = (dialect: Dialect, answer: ErrorAnswer, requestId: string): object => {
  const { status, code, message, param } = answer
  if (dialect === 'anthropic') {
    const error = { type: anthropicTypeOf(status), message, details: { error_code: code } }
    return { type: 'error', error, request_id: requestId }
  }
  const error = { message, type: openaiTypeOf(status), param, code }
  return status < 500 ? { error } : { error, request_id: requestId }
}

/** From 500 the message is the code's constant one: the error's own may tell of the inside. */
export const answerOf = ({ code, status, message, param }: BatonError): ErrorAnswer => ({
  status,
  code,
  message: status < 500 ? message : errorCodes[code].help,
  param,
})

export const setRequestIdHeaders = (request: FastifyRequest, reply: FastifyReply): void => {
  reply.header('x-request-id', request.id)
  if (dialectOfRequest(request) === 'anthropic') reply.header('request-id', request.id)
}

export const sendError = (
  request: FastifyRequest,
  reply: FastifyReply,
  answer: ErrorAnswer,
): FastifyReply => {
  setRequestIdHeaders(request, reply)
  // Both official SDKs repeat a 409 by themselves; none of ours ends otherwise the second time.
  if (answer.status === 409) reply.header('x-should-retry', 'false')
  return reply.code(answer.status).send(errorBody(dialectOfRequest(request), answer, request.id))
}
