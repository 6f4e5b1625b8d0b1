import type { FastifyRequest } from 'fastify'
import { BatonError } from '../../domain/errors.ts'
import type { ApiKeys, KeyHolder } from '../http/api-keys.ts'
import type { OwnAddress } from '../http/own-address.ts'
import { assertFromPage, isForPages, showsContent } from './page-request.ts'
import type { SessionCookie } from './session-cookie.ts'
import type { Session, SessionStore } from './session-store.ts'

/** Turns a browser's cookie into the holder of the key that it was signed in with. */
export interface Sessions {
  /** Null without a session in force. */
  sessionOf(request: FastifyRequest): Promise<(Session & { readonly holder: KeyHolder }) | null>
  /** As `sessionOf`, where a cookie counts. Throws `cross_site_forbidden`, and `permission_denied` for content that is hidden. */
  holderOf(request: FastifyRequest): Promise<KeyHolder | null>
}

export const createSessions = (parts: {
  readonly cookie: SessionCookie
  readonly store: SessionStore
  readonly apiKeys: ApiKeys
  readonly own: OwnAddress
  /** Whether pages may show prompts and answers. */
  readonly mayShowContent: boolean
}): Sessions => {
  const { cookie, store, apiKeys, own, mayShowContent } = parts
  const sessionOf: Sessions['sessionOf'] = async request => {
    const secret = cookie.read(request)
    const session = secret === null ? null : await store.find(secret)
    const holder = session && apiKeys.holderById(session.keyId)
    // A key that was taken away, or that may do less by now.
    return holder?.role === 'operator' ? { ...session!, holder } : null
  }
  return {
    sessionOf,
    holderOf: async request => {
      if (cookie.read(request) === null) return null
      const { method, routeOptions } = request
      if (!isForPages({ method, url: routeOptions.url })) return null
      assertFromPage(request, own)
      if (!mayShowContent && showsContent(request))
        throw new BatonError('permission_denied', 'Prompts and answers are hidden by `ui.show_content`.')
      return (await sessionOf(request))?.holder ?? null
    },
  }
}
