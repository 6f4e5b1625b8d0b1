import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { BatonError } from '../../domain/errors.ts'
import { readCodings } from './body-stream.ts'
import { errorAnswerOf, sendError } from './error-answer.ts'
import { toBatonError } from './to-baton-error.ts'

export type ErrorHandler = (error: unknown, request: FastifyRequest, reply: FastifyReply) => FastifyReply

/** The one place where errors become answers. */
export const createErrorHandler =
  (log: Logger): ErrorHandler =>
  (error, request, reply) => {
    const batonError = toBatonError(error)
    const { code, retryAfterMs, cause } = batonError
    request.errorCode = code
    if (code === 'internal_error')
      log.error({ event: 'request.failed', requestId: request.id, ...traceOf(cause) }, 'request failed')
    if (retryAfterMs !== null) reply.header('retry-after', Math.ceil(retryAfterMs / 1_000))
    if (code === 'unsupported_encoding') reply.header('accept-encoding', readCodings)
    if (code === 'invalid_api_key') reply.header('www-authenticate', 'Bearer')
    return sendError(request, reply, errorAnswerOf(batonError))
  }

/**
 * What of an unexpected error may be logged. Never its message: JSON.parse quotes the text it failed on, and
 * ioredis puts the command, a prompt among its arguments, on the error itself.
 */
export const traceOf = (error: unknown): { name: string; code?: unknown; at?: string[] | undefined } => {
  if (!(error instanceof Error)) return { name: typeof error }
  const at = error.stack
    ?.split('\n')
    .filter(line => /^ {4}at /.test(line))
    .slice(0, 8)
  return { name: error.name, code: (error as NodeJS.ErrnoException).code, at }
}

/** Must come before the routes: it takes note of their methods. */
export const installErrors = (app: FastifyInstance, handleError: ErrorHandler): void => {
  const methodsOf = collectMethods(app)
  app.setErrorHandler(handleError)
  // Before the body is read: a wrong path is reported even when the body is wrong too.
  app.addHook('onRequest', (request, reply, done) => {
    if (!request.is404) return done()
    const methods = methodsOf(request.url)
    if (methods.length === 0) return done(new BatonError('not_found', 'There is no such path.'))
    reply.header('allow', methods.join(', '))
    done(new BatonError('method_not_allowed', `This path takes ${methods.join(', ')}.`))
  })
}

/**
 * Takes note of every route from now on; answers which methods a path takes, none when there is no such path.
 */
const collectMethods = (app: FastifyInstance): ((url: string) => readonly string[]) => {
  const methodsOf = new Map<string, Set<string>>()
  app.addHook('onRoute', ({ url, method }) => {
    const known = methodsOf.get(url) ?? new Set()
    for (const name of [method].flat()) known.add(name)
    methodsOf.set(url, known)
  })
  return url => {
    // The path may come as a whole URL, which the router understands.
    const path = url.replace(/^https?:\/\/[^/]*/, '').split(/[?#]/, 1)[0]!
    const matching = [...methodsOf].filter(([pattern]) => expressionOf(pattern).test(path))
    return [...new Set(matching.flatMap(([, methods]) => [...methods]))]
  }
}

/** Matches the paths of a route's pattern, such as `/v1/jobs/:id`; only needed on the way to an error. */
const expressionOf = (pattern: string): RegExp =>
  new RegExp(`^${pattern.replace(/[.]/g, '\\.').replace(/:\w+/g, '[^/]+').replace('*', '.+')}$`)
