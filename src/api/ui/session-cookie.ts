import type { FastifyRequest } from 'fastify'
import type { Config } from '../../config/schema.ts'
import { isLoopback } from '../http/own-address.ts'

/** How a browser keeps its session. Scripts cannot read it, and no other site makes a browser send it. */
export interface SessionCookie {
  /** Null where the request has none. */
  read(request: FastifyRequest): string | null
  write(secret: string, lifeMs: number): string
  /** Makes the browser forget it. */
  clear(): string
  /** Whether a key may be sent so: over TLS, or without leaving the machine. */
  isPrivate(request: FastifyRequest): boolean
}

export const createSessionCookie = ({ server }: Pick<Config, 'server'>): SessionCookie => {
  const isTls = server.public_url?.toLowerCase().startsWith('https:') === true
  // `__Host-`: no other host under the same domain can have set it.
  const name = isTls ? '__Host-baton' : 'baton'
  const with_ = (value: string, seconds: number): string =>
    `${name}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}${isTls ? '; Secure' : ''}`
  const pattern = new RegExp(`(?:^|; *)${name}=([\\w-]+)(?:;|$)`)
  return {
    read: ({ headers }) => pattern.exec(headers.cookie ?? '')?.[1] ?? null,
    write: (secret, lifeMs) => with_(secret, Math.floor(lifeMs / 1_000)),
    clear: () => with_('', 0),
    // What proxies add to a request is not believed; the config says whether one ends TLS.
    isPrivate: ({ host }) => isTls || isLoopback(URL.parse(`http://${host}`)?.hostname ?? ''),
  }
}
