import type { FastifyInstance } from 'fastify'

/**
 * What Helmet sets, with its values, but for a policy that lets an answer load nothing and stand in no frame:
 * these are for pages, and this is an API. Set by hand, since a request that never becomes one is answered
 * without a framework.
 */
export const securityHeaders: Readonly<Record<string, string>> = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'origin-agent-cluster': '?1',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-dns-prefetch-control': 'off',
  'x-download-options': 'noopen',
  'x-frame-options': 'SAMEORIGIN',
  'x-permitted-cross-domain-policies': 'none',
  'x-xss-protection': '0',
}

/**
 * Sent only where the public URL is `https`: a server reached in the clear must not send it (RFC 6797, 7.2).
 */
const transportSecurity = { 'strict-transport-security': 'max-age=31536000; includeSubDomains' }

/** On every answer, errors and streams among them. */
export const installSecurityHeaders = (app: FastifyInstance, publicUrl: string | undefined): void => {
  const isSecure = publicUrl?.toLowerCase().startsWith('https:') === true
  const headers = { ...securityHeaders, ...(isSecure && transportSecurity) }
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(headers)
    done()
  })
}

/**
 * Sets `date` to the time shared by all processes, not this host's clock: clients compare it with the times
 * of jobs.
 */
export const installDate = (app: FastifyInstance, now: () => number): void => {
  let second = 0
  let text = ''
  app.addHook('onRequest', (_request, reply, done) => {
    const nowSecond = Math.floor(now() / 1_000)
    if (nowSecond !== second) {
      second = nowSecond
      text = new Date(second * 1_000).toUTCString()
    }
    reply.header('date', text)
    done()
  })
}
