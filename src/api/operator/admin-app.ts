import type { AddressInfo } from 'node:net'
import fastify, { type FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { Config } from '../../config/schema.ts'
import type { OwnCounts, Vitals } from '../../health/vitals.ts'
import type { Lifecycle } from '../../lifecycle/lifecycle.ts'
import { createApiKeys } from '../http/api-keys.ts'
import { installAuth, installRights } from '../http/auth.ts'
import { refuseCrossSite, refuseForeignHosts } from '../http/cross-site.ts'
import { createErrorHandler, installErrors } from '../http/errors.ts'
import { installProtocolRefusals, refuseMalformed } from '../http/malformed-http.ts'
import { createOwnAddress, isLoopback } from '../http/own-address.ts'
import { installRequestLog, newRequestId } from '../http/request-log.ts'
import { installSecurityHeaders, securityHeaders } from '../http/response-headers.ts'
import type { RouteRights } from '../http/route-rights.ts'
import { schemaCompilers } from '../http/schema-compilers.ts'
import { ownMetricsOf, readProcessFigures } from './metrics.ts'
import { metricsType, renderMetrics } from './metrics-text.ts'

export interface AdminParts {
  readonly config: Pick<Config, 'server'> & { readonly apiKeys: () => Config['api_keys'] }
  /** Of what serves now: a reload brings new ones. */
  readonly vitals: () => Vitals
  /** Of the whole process. */
  readonly counts: () => OwnCounts
  readonly isStopping: () => boolean
  readonly log: Logger
}

export const adminRights: RouteRights = {
  'GET /livez': 'open',
  'GET /readyz': 'open',
  'GET /metrics': 'operate',
}

/**
 * What every process serves on `server.admin_port`: whether it lives and is ready, and its own figures. On
 * loopback no key is asked for, and so no page of a browser and no foreign name is served; elsewhere figures
 * are an operator's.
 */
export const createAdminApp = ({ config, vitals, counts, isStopping, log }: AdminParts): FastifyInstance => {
  const { server } = config
  const keys = isLoopback(server.admin_host) ? [] : config.apiKeys()
  const own = createOwnAddress({ api_keys: keys, server: { ...server, cors_origins: [] } })
  const handleError = createErrorHandler(log)
  const app = fastify({
    ...schemaCompilers,
    logger: false,
    genReqId: newRequestId,
    bodyLimit: 1_024,
    forceCloseConnections: true,
    frameworkErrors: (error, request, reply) => handleError(error, request, reply.headers(securityHeaders)),
    clientErrorHandler: refuseMalformed,
    http: { requireHostHeader: false },
  })
  installRequestLog(app, log)
  installSecurityHeaders(app, undefined)
  installProtocolRefusals(app)
  refuseForeignHosts(app, own)
  if (keys.length === 0) refuseCrossSite(app, own)
  installErrors(app, handleError)
  installRights(app, adminRights)

  app.get('/livez', async () => ({ status: 'ok' }))

  app.get('/readyz', async (_request, reply) => {
    const obstacle = await obstacleTo(vitals(), isStopping)
    if (obstacle === null) return { status: 'ready' }
    return reply
      .code(503)
      .header('retry-after', 2)
      .send({ status: 'unavailable', ...obstacle })
  })

  app.register(async scope => {
    installAuth(scope, createApiKeys(keys, config.apiKeys), null)
    scope.get('/metrics', async (_request, reply) => {
      const more = await vitals().moreMetrics()
      const own = ownMetricsOf({ ...counts(), process: readProcessFigures() })
      return reply.type(metricsType).send(more + renderMetrics(own))
    })
  })
  return app
}

/** Stopping comes first, so that a load balancer sends work elsewhere at once. */
const obstacleTo = async (vitals: Vitals, isStopping: () => boolean): Promise<object | null> => {
  if (isStopping()) return { reason: 'stopping' }
  if (!vitals.isStarted) return { reason: 'starting' }
  const failing = await vitals.failing()
  if (failing.length === 0) return null
  return failing.includes('redis')
    ? { reason: 'redis_unavailable' }
    : { reason: 'not_running', parts: failing }
}

/**
 * Serves a process's own port where the config has one. Opened before everything else, so that it also
 * reports a start that waits, and closed last.
 */
export const serveAdmin = async (life: Lifecycle, parts: Omit<AdminParts, 'isStopping'>): Promise<void> => {
  const { admin_host: host, admin_port: port } = parts.config.server
  if (port === undefined) return
  const app = createAdminApp({ ...parts, isStopping: () => life.stopping })
  await life.open(
    'admin port',
    () => app.listen({ host, port }),
    () => app.close(),
  )
  const { address, family, port: taken } = app.server.address() as AddressInfo
  const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`
  parts.log.info({ event: 'admin.listening', url }, 'admin port listening')
}
