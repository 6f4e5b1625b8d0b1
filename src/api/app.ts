import type { Server } from 'node:http'
import fastify, { type FastifyInstance } from 'fastify'
import { validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'
import manifest from '../../package.json' with { type: 'json' }
import { writeJson } from '../json/json-text.ts'
import { addBatchRoutes } from './batches/batch-routes.ts'
import { addMessageBatchRoutes } from './batches/message-batch-routes.ts'
import { addFileRoutes } from './files/file-routes.ts'
import { addUploadRoutes } from './files/upload-routes.ts'
import { type ApiKeys, createApiKeys } from './http/api-keys.ts'
import { installAuth, installRights } from './http/auth.ts'
import { countBodies, installBodyLimits } from './http/body-limits.ts'
import { installBodyPace } from './http/body-pace.ts'
import { installBodyEncoding } from './http/body-stream.ts'
import { type Capacity, createCapacity } from './http/capacity.ts'
import { installClosing } from './http/closing.ts'
import { type Connections, limitConnections } from './http/connection-limit.ts'
import { installCors } from './http/cors.ts'
import { refuseCrossSite, refuseCrossSiteForms, refuseForeignHosts } from './http/cross-site.ts'
import { createErrorHandler, installErrors } from './http/errors.ts'
import { assumeJsonBodies, installJsonBodies } from './http/json-body.ts'
import { installProtocolRefusals, refuseMalformed } from './http/malformed-http.ts'
import { createOwnAddress, type OwnAddress } from './http/own-address.ts'
import { installRequestLog, newRequestId } from './http/request-log.ts'
import { installRequestTrace } from './http/request-trace.ts'
import { installDate, installSecurityHeaders, securityHeaders } from './http/response-headers.ts'
import { routeRights } from './http/route-rights.ts'
import { schemaCompilers } from './http/schema-compilers.ts'
import { installUnreadBodies } from './http/unread-bodies.ts'
import { addJobActionRoutes } from './jobs/job-actions.ts'
import { addJobContentRoute } from './jobs/job-content.ts'
import { addJobListRoutes } from './jobs/job-list.ts'
import { addJobRoutes } from './jobs/job-routes.ts'
import { createJobStreams, type JobStreams } from './jobs/job-streams.ts'
import { createJobWaits, type JobWaits } from './jobs/job-waits.ts'
import { createJobWatcher } from './jobs/job-watcher.ts'
import { createOperatorView, type ReadOperatorView } from './jobs/operator-view.ts'
import { installDescription } from './openapi/install-description.ts'
import { addOperatorBatchRoutes } from './operator/batch-routes.ts'
import { addDeadLetterRoutes } from './operator/dead-letter-routes.ts'
import { addHealthRoutes } from './operator/health-routes.ts'
import { addLiveRoutes } from './operator/live-routes.ts'
import { addMetricsRoute } from './operator/metrics-route.ts'
import { addMirrorRoutes } from './operator/mirrors.ts'
import { noteActions } from './operator/note-actions.ts'
import { createOperatorReads, type OperatorReads } from './operator/operator-reads.ts'
import { createPageFeed, type PageFeed } from './operator/page-feed.ts'
import { createFollowedReads } from './operator/page-follows.ts'
import { addProviderRoutes } from './operator/provider-routes.ts'
import { addReceiverRoutes } from './operator/receiver-routes.ts'
import { addReloadRoute } from './operator/reload-route.ts'
import { addRouteListRoute } from './operator/route-list.ts'
import { addScalingRoute } from './operator/scaling-routes.ts'
import { addUsageRoute } from './operator/usage-routes.ts'
import type { ApiParts, ApiScope } from './parts.ts'
import { addResponseRoutes } from './responses/response-routes.ts'
import { type AnswerStream, createAnswerStream } from './streams/stream-answers.ts'
import { addStreamRoutes } from './streams/stream-routes.ts'
import { addCountTokensRoute } from './sync/count-tokens-route.ts'
import { addModelRoutes } from './sync/model-routes.ts'
import { addRetiredRoutes, addSyncRoutes } from './sync/sync-routes.ts'
import { installReference, installUi, uiRights } from './ui/install-ui.ts'
import type { Sessions } from './ui/sessions.ts'

/**
 * For a whole request, so that no upload outlasts the reservation of its bytes (`reservedMs` in the store).
 * Requests that do not get on are cut much earlier, see `installBodyPace`.
 */
const requestTimeoutMs = 90 * 60_000
/** Pages of operators that are open at a time. */
/** Longer than any model name that a route may have. */
const maxParamLength = 500

/**
 * The HTTP API, not yet listening. `drain(withinMs)` stops it, and so does `close()` within
 * `server.shutdown_grace`; both leave the parts alone. `server` is the one that passes requests on to it, where that is not its own.
 */
export const createApp = (parts: ApiParts, server?: Server): FastifyInstance => {
  const { config, log } = parts
  const waits = createJobWaits(parts.waiter, parts.store)
  const capacity = createCapacity(config, parts.vitals.measures.refusals)
  const answerStream = createAnswerStream({
    ...{ hub: parts.streamHub, logs: parts.streamLogs, leavers: parts.streamLeavers, log },
    keepaliveMs: config.stream.keepalive,
  })
  const streams = createJobStreams(createJobWatcher(parts.waiter, parts.store, log), parts.store, log)
  const reads = createOperatorReads(parts)
  const operatorView = createOperatorView(parts, reads)
  const feed = createPageFeed({
    followed: createFollowedReads(parts, operatorView),
    ...{ reads, circuits: parts.circuits, version: manifest.version, log, now: parts.now },
    mostPages: config.ui.max_streams,
  })
  const handleError = createErrorHandler(log)
  const app = fastify({
    ...schemaCompilers,
    // No logger of Fastify's own: it would make a child for every request, for one line at debug.
    logger: false,
    genReqId: newRequestId,
    bodyLimit: config.server.max_body_bytes,
    requestTimeout: requestTimeoutMs,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    routerOptions: { maxParamLength },
    // No hook is run for these.
    frameworkErrors: (error, request, reply) => handleError(error, request, reply.headers(securityHeaders)),
    clientErrorHandler: refuseMalformed,
    http: { requireHostHeader: false },
  })
  app.setValidatorCompiler(validatorCompiler)
  app.setReplySerializer(payload => writeJson(payload))
  // text/plain: read as JSON, see `assumeJsonBodies`.
  app.removeContentTypeParser('text/plain')
  installDate(app, parts.now)
  installRequestTrace(app)
  installRequestLog(app, log)
  installSecurityHeaders(app, config.server.public_url)
  installProtocolRefusals(app)
  installBodyPace(app)
  installUnreadBodies(app)
  installBodyLimits(app, capacity)
  installBodyEncoding(app)
  countBodies(app, capacity)
  installJsonBodies(app)
  installClosing(app, waits, streams, config.server)
  const own = createOwnAddress(config)
  refuseForeignHosts(app, own)
  installCors(app, config.server.cors_origins, own)
  if (config.api_keys.length === 0) refuseCrossSite(app, own)
  app.addHook('preClose', async () => feed.end())
  app.decorate('retire', () => {
    waits.release('poll')
    streams.end()
    feed.end()
  })
  installErrors(app, handleError)
  installRights(app, { ...routeRights, ...uiRights })
  const apiKeys = createApiKeys(config.api_keys)
  const pages = installUi(app, parts, { apiKeys, own })
  installReference(app, parts)
  const addDescriptionRoute = installDescription(app, config.server.public_url)
  app.register(async scope => addHealthRoutes(scope, parts, app.isLeaving))
  app.register(async scope => {
    const connections = limitConnections(server ?? app.server, scope, config.server.max_connections, capacity)
    const about = { capacity, connections, reads, operatorView, feed }
    const held: Held = { own, apiKeys, pages, waits, streams, answerStream, ...about }
    addGuardedRoutes(scope.withTypeProvider<ZodTypeProvider>(), parts, held)
    addDescriptionRoute(scope)
  })
  return app
}

/** What holds requests open, and the limits for that. */
interface Held {
  readonly own: OwnAddress
  readonly waits: JobWaits
  readonly streams: JobStreams
  readonly answerStream: AnswerStream
  readonly capacity: Capacity
  readonly connections: Connections
  readonly reads: OperatorReads
  readonly operatorView: ReadOperatorView
  readonly feed: PageFeed
  readonly apiKeys: ApiKeys
  /** Null where no page is served. */
  readonly pages: Sessions | null
}

const addGuardedRoutes = (scope: ApiScope, parts: ApiParts, held: Held): void => {
  const { own, waits, streams, answerStream, capacity, connections, reads, operatorView, feed } = held
  installAuth(scope, held.apiKeys, held.pages)
  noteActions(scope, parts)
  refuseCrossSiteForms(scope, own)
  assumeJsonBodies(scope)
  addJobRoutes(scope, parts, { waits, streams, capacity, operatorView })
  addStreamRoutes(scope, parts, { waits, capacity, answerStream })
  addJobContentRoute(scope, parts, capacity)
  addJobListRoutes(scope, parts)
  addModelRoutes(scope, parts)
  addProviderRoutes(scope, parts, reads)
  addLiveRoutes(scope, parts, { reads, feed })
  addReloadRoute(scope, parts)
  addOperatorBatchRoutes(scope, parts)
  addUsageRoute(scope, parts)
  addScalingRoute(scope, reads)
  addMetricsRoute(scope, parts, { capacity, connections, feed, reads })
  addRouteListRoute(scope, parts)
  addMirrorRoutes(scope, parts)
  addDeadLetterRoutes(scope, parts)
  addReceiverRoutes(scope, parts)
  addFileRoutes(scope, parts)
  addUploadRoutes(scope, parts)
  addBatchRoutes(scope, parts)
  addMessageBatchRoutes(scope, parts)
  addRetiredRoutes(scope)
  // Scopes of their own, for their own ways of reading bodies.
  scope.register(async inner => addJobActionRoutes(inner, parts))
  scope.register(async inner => addCountTokensRoute(inner, parts, { capacity }))
  scope.register(async inner => addResponseRoutes(inner, parts, { waits, capacity, answerStream }))
  scope.register(async inner => addSyncRoutes(inner, parts, { waits, capacity, answerStream }))
}
