import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import manifest from '../../../package.json' with { type: 'json' }
import type { ApiKeys } from '../http/api-keys.ts'
import type { OwnAddress } from '../http/own-address.ts'
import type { RouteRights } from '../http/route-rights.ts'
import type { ApiParts } from '../parts.ts'
import { addPageRoutes, operatorPage, referencePage } from './assets.ts'
import { createSessionCookie } from './session-cookie.ts'
import { addSessionRoutes } from './session-routes.ts'
import { createSessions, type Sessions } from './sessions.ts'

/** No key opens these: the documents are public, and the session is what a browser shows in place of a key. */
export const uiRights: RouteRights = {
  'GET /ui': 'open',
  'GET /ui/*': 'open',
  'GET /ui/session': 'open',
  'POST /ui/session': 'open',
  'DELETE /ui/session': 'open',
  'GET /docs': 'open',
  'GET /docs/*': 'open',
}

/**
 * Serves the reference of the API at `/docs` unless the config says no. The page is no part of the API's description, so it comes before
 * `installDescription`; that description is behind a key where the API is, and the page asks for one.
 */
export const installReference = (app: FastifyInstance, { config }: Pick<ApiParts, 'config'>): void => {
  if (config.server.docs) app.register(async scope => addPageRoutes(scope, referencePage))
}

/**
 * Serves the operator's page at `/ui` where the config says so; answers null where it does not. The page is
 * no part of the API's description, so it comes before `installDescription`.
 */
export const installUi = (
  app: FastifyInstance,
  parts: ApiParts,
  { apiKeys, own }: { readonly apiKeys: ApiKeys; readonly own: OwnAddress },
): Sessions | null => {
  const { config, uiSessions: store } = parts
  if (!config.ui.enabled) return null
  const cookie = createSessionCookie(config)
  const sessions = createSessions({
    ...{ cookie, store, apiKeys, own },
    mayShowContent: config.ui.show_content,
  })
  app.register(async scope => {
    const typed = scope.withTypeProvider<ZodTypeProvider>()
    addSessionRoutes(typed, parts, { own, apiKeys, cookie, sessions, version: manifest.version })
    addPageRoutes(scope, operatorPage)
  })
  return sessions
}
