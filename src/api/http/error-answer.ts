import type { FastifyReply, FastifyRequest } from 'fastify'
import { type ErrorAnswer, errorBody } from '../../domain/classify/error-shape.ts'
import type { Dialect } from '../../domain/endpoint.ts'
import { type BatonError, errorCodes } from '../../domain/errors.ts'

/** The path may come as a whole URL (RFC 9112, 3.2.2). */
const anthropicPaths = /^(?:https?:\/\/[^/]*)?\/v1\/(?:messages|complete)(?=[/?#]|$)/
/** Paths that both APIs have; Anthropic's clients send `anthropic-version`. */
const sharedPaths = /^(?:https?:\/\/[^/]*)?\/v1\/(models|files)(?=[/?#]|$)/

/** In whose shapes a path answers; of several it is the request that decides. */
export const dialectsOfPath = (path: string): readonly Dialect[] => {
  if (anthropicPaths.test(path)) return ['anthropic']
  return sharedPaths.test(path) ? ['openai', 'anthropic'] : ['openai']
}

/** In whose shape a request wants its errors and lists. */
export const dialectOfRequest = ({ url, headers }: FastifyRequest): Dialect =>
  anthropicPaths.test(url) || (headers['anthropic-version'] !== undefined && sharedPaths.test(url))
    ? 'anthropic'
    : 'openai'

/** From 500 the message is the code's constant one: the error's own may disclose internals. */
export const errorAnswerOf = ({ code, status, message, param }: BatonError): ErrorAnswer => ({
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
