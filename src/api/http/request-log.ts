import { randomUUID } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { ErrorCode } from '../../domain/errors.ts'
import { setRequestIdHeaders } from './error-answer.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The job that the request is about, for its line in the log. */
    jobId: string | undefined
    /** What it was refused for. */
    errorCode: ErrorCode | undefined
  }
}

/**
 * Ours, not the client's: an id that is in the log once names one request. From a UUID, since Node draws
 * random bytes for many of those at once: drawing for each request took a tenth of its time.
 */
export const newRequestId = (): string => `req_${randomUUID().replaceAll('-', '')}`

/** Logged once where an outage begins: a line for each request would only repeat it. */
const loggedElsewhere: ReadonlySet<ErrorCode | undefined> = new Set(['redis_unavailable', 'storage_full'])

/** The client's own id, where it is fit for a log. */
const clientIdOf = (header: unknown): string | undefined =>
  typeof header === 'string' && /^[\w-]{1,64}$/.test(header) ? header : undefined

/** Names every request and logs one line about each: never bodies, headers or query values. */
export const installRequestLog = (app: FastifyInstance, log: Logger): void => {
  app.decorateRequest('jobId', undefined)
  app.decorateRequest('errorCode', undefined)
  app.addHook('onRequest', (request, reply, done) => {
    setRequestIdHeaders(request, reply)
    done()
  })
  app.addHook('onResponse', (request, reply, done) => {
    const level = reply.statusCode >= 500 && !loggedElsewhere.has(request.errorCode) ? 'warn' : 'debug'
    if (log.isLevelEnabled(level)) {
      log[level](
        {
          event: 'request.answered',
          requestId: request.id,
          clientRequestId: clientIdOf(request.headers['x-request-id']),
          method: request.method,
          route: request.routeOptions.url,
          status: reply.statusCode,
          code: request.errorCode,
          durationMs: Math.round(reply.elapsedTime),
          jobId: request.jobId,
        },
        'request answered',
      )
    }
    done()
  })
}
