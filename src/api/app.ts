import fastify, { type FastifyInstance } from 'fastify'
import { validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'
import type { ApiScope } from './api-scope.ts'
import { createJobWaits, type JobWaits } from './job-waits.ts'
import type { ApiParts } from './parts.ts'
import { installAuth } from './plugins/auth.ts'
import { installClosing } from './plugins/closing.ts'
import { createErrorHandler, installErrors } from './plugins/errors.ts'
import { installRequestLog, newRequestId } from './plugins/request-log.ts'
import { addDeadLetterRoutes } from './routes/dead-letters.ts'
import { addDoorRoutes } from './routes/doors.ts'
import { addHealthRoutes } from './routes/health.ts'
import { addJobActionRoutes } from './routes/job-actions.ts'
import { addJobListRoute } from './routes/job-list.ts'
import { addJobRoutes } from './routes/jobs.ts'
import { addModelRoutes } from './routes/models.ts'
import { addProviderRoutes } from './routes/providers.ts'

/** A slow upload may take this long; without a limit, connections that send nothing would add up. */
const requestTimeoutMs = 300_000
/** Longer than any model name that a route may have. */
const maxParamLength = 500

/**
 * The HTTP API, not yet listening. `drain(withinMs)` stops it, and so does `close()` within `server.shutdown_grace_ms`;
 * both leave the parts alone.
 */
export const createApp = (parts: ApiParts): FastifyInstance => {
  const { config, log } = parts
  const waits = createJobWaits(parts.waiter, parts.store)
  const handleError = createErrorHandler(log)
  const app = fastify({
    // No logger of Fastify's own: it would make a child for every request, for one line at debug.
    logger: false,
    genReqId: newRequestId,
    bodyLimit: config.server.max_body_bytes,
    requestTimeout: requestTimeoutMs,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    routerOptions: { maxParamLength },
    frameworkErrors: handleError,
  })
  app.setValidatorCompiler(validatorCompiler)
  // text/plain: a body that is not JSON is to be refused for its type.
  app.removeContentTypeParser('text/plain')
  installRequestLog(app, log)
  installClosing(app, waits, config.server.shutdown_grace_ms)
  installErrors(app, handleError)
  addHealthRoutes(app, parts)
  app.register(async scope => addGuardedRoutes(scope.withTypeProvider<ZodTypeProvider>(), parts, waits))
  return app
}

const addGuardedRoutes = (scope: ApiScope, parts: ApiParts, waits: JobWaits): void => {
  installAuth(scope, parts.config.api_keys)
  addJobRoutes(scope, parts, waits)
  addJobListRoute(scope, parts)
  addModelRoutes(scope, parts)
  addProviderRoutes(scope, parts)
  addDeadLetterRoutes(scope, parts)
  // Scopes of their own, for their own ways of reading bodies.
  scope.register(async inner => addJobActionRoutes(inner, parts))
  scope.register(async inner => addDoorRoutes(inner, parts, waits))
}
