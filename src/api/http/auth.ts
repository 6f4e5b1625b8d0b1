import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Config } from '../../config/schema.ts'
import { mayDo, type Right, type Role, roleFor } from '../../domain/access.ts'
import { BatonError } from '../../domain/errors.ts'
import { type RouteRights, rightOf } from './route-rights.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose request this is; `default` where no API keys are configured. */
    tenant: string
    /** What its key is for; `operator` where no API keys are configured. */
    role: Role
    /** Who acts, for others to read: the name of the key, or its tenant; `local` where no API keys are configured. */
    actor: string
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

/**
 * Lets only requests with a configured API key into this scope, each to the routes that its role may use, and
 * sets their tenant. `keysNow` are those of now, where a reload may change them. Without keys only loopback is served, and every request may do everything.
 */
export const installAuth = (
  app: FastifyInstance,
  apiKeys: Config['api_keys'],
  keysNow: () => Config['api_keys'] = () => apiKeys,
): void => {
  app.decorateRequest('tenant', 'default')
  app.decorateRequest('role', 'operator')
  app.decorateRequest('actor', 'local')
  if (apiKeys.length === 0) return
  let known = apiKeys
  let holderOf = createKeyCheck(known)
  app.addHook('onRequest', (request, _reply, done) => {
    if (known !== keysNow()) {
      known = keysNow()
      holderOf = createKeyCheck(known)
    }
    const holder = holderOf(credentialOf(request))
    if (holder === null) return done(new BatonError('invalid_api_key', 'The API key is missing or wrong.'))
    request.tenant = holder.tenant
    request.role = holder.role
    request.actor = holder.name ?? holder.tenant
    const { right = 'operate' } = request.routeOptions.config
    done(right === 'open' || mayDo(holder.role, right) ? undefined : denied(right))
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

interface KeyHolder {
  readonly tenant: string
  readonly role: Role
  readonly name?: string | undefined
}

/** Hashes make all keys equally long, and every one is compared: the time taken discloses nothing. */
const createKeyCheck = (apiKeys: Config['api_keys']): ((candidate: string) => KeyHolder | null) => {
  const known = apiKeys.map(({ key, ...holder }) => ({ hash: sha256(key), holder }))
  return candidate => {
    const hash = sha256(candidate)
    let found: KeyHolder | null = null
    for (const key of known) if (timingSafeEqual(key.hash, hash)) found = key.holder
    return found
  }
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()

/** OpenAI's clients and Anthropic's newer ones send a bearer token, Anthropic's older ones `x-api-key`. */
const credentialOf = ({ headers }: FastifyRequest): string =>
  /^bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1] ?? String(headers['x-api-key'] ?? '')
