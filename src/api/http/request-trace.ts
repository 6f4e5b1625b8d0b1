import type { FastifyInstance } from 'fastify'
import { attribute } from '../../telemetry/span-names.ts'
import { isTracing, type RequestSpan, startRequestSpan } from '../../telemetry/tracing.ts'

declare module 'fastify' {
  interface FastifyRequest {
    span: RequestSpan | null
  }
}

/** A span for each request, in the trace of the client that sent a `traceparent`. Costs nothing where nobody traces. */
export const installRequestTrace = (app: FastifyInstance): void => {
  if (!isTracing) return
  app.decorateRequest('span', null)
  app.addHook('onRequest', (request, _reply, done) => {
    const { method, headers, routeOptions } = request
    const route = routeOptions.url ?? 'unknown'
    request.span = startRequestSpan(`${method} ${route}`, headers, {
      [attribute.method]: method,
      [attribute.httpRoute]: route,
    })
    done()
  })
  // Reading the body left the context of the request: its bytes come from the socket.
  app.addHook('preHandler', (request, _reply, done) => {
    if (request.span === null) done()
    else request.span.within(done)
  })
  app.addHook('onResponse', (request, reply, done) => {
    const { statusCode } = reply
    const { jobId, errorCode } = request
    request.span?.end(
      {
        [attribute.statusCode]: statusCode,
        ...(jobId && { [attribute.jobId]: jobId }),
        ...(errorCode && { [attribute.errorType]: errorCode }),
      },
      statusCode,
    )
    done()
  })
}
