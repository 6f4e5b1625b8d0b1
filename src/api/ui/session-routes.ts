import { z } from 'zod'
import { BatonError } from '../../domain/errors.ts'
import { jobErrorCodes } from '../../domain/job.ts'
import { wholeSeconds } from '../../jobs/view.ts'
import type { ApiKeys, KeyHolder } from '../http/api-keys.ts'
import type { OwnAddress } from '../http/own-address.ts'
import type { SessionView } from '../operator/views.ts'
import type { ApiParts, ApiScope } from '../parts.ts'
import { assertFromPage } from './page-request.ts'
import type { SessionCookie } from './session-cookie.ts'
import type { Sessions } from './sessions.ts'
import { createSignInThrottle } from './sign-in-throttle.ts'

export interface SessionParts {
  readonly own: OwnAddress
  readonly apiKeys: ApiKeys
  readonly cookie: SessionCookie
  readonly sessions: Sessions
  readonly version: string
}

const noOperator =
  'The page is for operators: this key may submit only. It takes a key of the role `operator`.'
const inTheClear =
  'Sign in over https, or on this machine: a key is not sent in the clear. Set `server.public_url` to the https address of the page.'

/** `POST, GET, DELETE /ui/session`: a browser signs in with a key once, and has a cookie from then on. */
export const addSessionRoutes = (
  scope: ApiScope,
  parts: Pick<ApiParts, 'config' | 'log' | 'now' | 'providers' | 'routes' | 'uiSessions'>,
  { own, apiKeys, cookie, sessions, version }: SessionParts,
): void => {
  const { config, log, now, uiSessions: store } = parts
  const throttle = createSignInThrottle(now)

  const viewOf = (holder: KeyHolder | null, expiresAtMs: number | null): SessionView => ({
    role: 'operator',
    tenant: holder?.tenant ?? 'default',
    key_name: holder && (holder.name ?? `key ${holder.keyId}`),
    expires_at: expiresAtMs === null ? null : wholeSeconds(expiresAtMs),
    keyless: apiKeys.isEmpty,
    may_act: true,
    may_read_content: config.ui.show_content,
    version,
    time_zone: config.ui.time_zone,
    facets: {
      routes: [...parts.routes.keys()],
      providers: [...parts.providers.keys()],
      error_codes: Object.keys(jobErrorCodes),
      metadata_keys: config.jobs.indexed_metadata,
      tenants: [...new Set(config.api_keys.map(({ tenant }) => tenant))],
    },
  })

  scope.get('/ui/session', async request => {
    if (apiKeys.isEmpty) return viewOf(null, null)
    assertFromPage(request, own)
    const session = await sessions.sessionOf(request)
    if (session === null) throw new BatonError('invalid_api_key', 'Nobody is signed in.')
    return viewOf(session.holder, session.expiresAtMs)
  })

  scope.post(
    '/ui/session',
    { schema: { body: z.strictObject({ key: z.string().max(1_000) }) } },
    async (request, reply) => {
      assertFromPage(request, own)
      if (!cookie.isPrivate(request)) throw new BatonError('permission_denied', inTheClear)
      throttle.assertOpen(request.ip)
      const holder = apiKeys.holderOf(request.body.key)
      if (holder === null) {
        throttle.failed(request.ip)
        log.warn({ event: 'ui.sign_in_refused', requestId: request.id }, 'sign-in refused')
        throw new BatonError('invalid_api_key', 'This is no key of this server.')
      }
      if (holder.role !== 'operator') throw new BatonError('permission_denied', noOperator)
      const expiresAtMs = now() + config.ui.session
      const secret = await store.create({ tenant: holder.tenant, keyId: holder.keyId, expiresAtMs })
      log.info({ event: 'ui.signed_in', requestId: request.id, keyId: holder.keyId }, 'signed in')
      reply.header('set-cookie', cookie.write(secret, config.ui.session))
      return viewOf(holder, expiresAtMs)
    },
  )

  scope.delete('/ui/session', async (request, reply) => {
    assertFromPage(request, own)
    const secret = cookie.read(request)
    if (secret !== null) await store.end(secret)
    return reply.header('set-cookie', cookie.clear()).code(204).send()
  })
}
