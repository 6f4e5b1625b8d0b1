import type { FastifyInstance, FastifyRequest } from 'fastify'
import { mayDo, type Right, type Role, roleFor } from '../../domain/access.ts'
import { BatonError } from '../../domain/errors.ts'
import type { ApiKeys, KeyHolder } from './api-keys.ts'
import { type RouteRights, rightOf } from './route-rights.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose request this is; `default` where no API keys are configured. */
    tenant: string
    /** What its key is for; `operator` where no API keys are configured. */
    role: Role
    /** Who acts, for others to read: the name of the key, or its tenant; `local` where no API keys are configured. */
    actor: string
    /** Whether the session that it came by goes on: streams outlive the answer that let them begin. Null for a key, whose end is a reload. */
    isStillSignedIn: (() => Promise<boolean>) | null
  }
  interface FastifyContextConfig {
    right?: Right | 'open'
  }
}

/**
 * Gives every route added from now on the right that it asks of a key. Throws for a route missing in the
 * table.
 */
export const installRights = (app: FastifyInstance, rights: RouteRights): void => {
  app.addHook('onRoute', route => {
    for (const method of [route.method].flat()) {
      const right = rightOf(rights, method, route.url)
      if (right === undefined) throw new Error(`${method} ${route.url} has no right in the table`)
      route.config = { ...route.config, right }
    }
  })
}

/** Knows the holder of the key that a browser was signed in with; rejects what another site had sent. */
export interface PageIdentity {
  holderOf(request: FastifyRequest): Promise<KeyHolder | null>
}

/**
 * Lets only requests with a configured API key, or of a page that one signed in, into this scope, each to the routes
 * that its role may use, and sets their tenant. Without keys only loopback is served, and every request may do everything.
 */
export const installAuth = (app: FastifyInstance, apiKeys: ApiKeys, pages: PageIdentity | null): void => {
  app.decorateRequest('tenant', 'default')
  app.decorateRequest('role', 'operator')
  app.decorateRequest('actor', 'local')
  app.decorateRequest('isStillSignedIn', null)
  if (apiKeys.isEmpty) return
  const admit = (request: FastifyRequest, holder: KeyHolder | null): BatonError | undefined => {
    if (holder === null) return new BatonError('invalid_api_key', 'The API key is missing or wrong.')
    request.tenant = holder.tenant
    request.role = holder.role
    request.actor = holder.name ?? holder.tenant
    const { right = 'operate' } = request.routeOptions.config
    return right === 'open' || mayDo(holder.role, right) ? undefined : denied(right)
  }
  app.addHook('onRequest', (request, _reply, done) => {
    const credential = credentialOf(request)
    if (credential !== '' || pages === null) return done(admit(request, apiKeys.holderOf(credential)))
    request.isStillSignedIn = async () => (await pages.holderOf(request)) !== null
    pages.holderOf(request).then(holder => done(admit(request, holder)), done)
  })
}

/** For what only a parameter of the request asks. Throws `permission_denied`. */
export const requireRight = ({ role }: FastifyRequest, right: Right): void => {
  if (!mayDo(role, right)) throw denied(right)
}

const denied = (right: Right): BatonError =>
  new BatonError(
    'permission_denied',
    `This API key may not do that: it takes one of the role \`${roleFor(right)}\`.`,
  )

/** OpenAI's clients and Anthropic's newer ones send a bearer token, Anthropic's older ones `x-api-key`. */
const credentialOf = ({ headers }: FastifyRequest): string =>
  /^bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1] ?? String(headers['x-api-key'] ?? '')
