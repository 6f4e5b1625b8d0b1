import { z } from 'zod'

/** Why a header of a client's request may not be forwarded to providers. */
const because = {
  hop: 'belongs to one connection, and never goes on',
  secret: 'shows who asks: keys are those of the provider, and cookies go nowhere',
  body: 'tells of the body, which this server sends in its own way',
  own: 'is read by this server, and is not for providers',
  pinned: 'is pinned; `headers` of a provider can set another',
} as const

const refused: Readonly<Record<keyof typeof because, RegExp>> = {
  hop: /^(?:connection|keep-alive|te|trailer|transfer-encoding|upgrade|expect|host|proxy-connection|http2-settings)$/,
  secret:
    /^(?:(?:proxy-)?authorization|(?:proxy-)?authenticate|(?:set-)?cookie2?|(?:x-)?api-key|x-goog-api-key|ocp-apim-subscription-key|x-amz-.*|x-auth-token|forwarded|x-forwarded-.*|x-real-ip|cf-connecting-ip)$/,
  body: /^(?:content-.*|accept|accept-encoding|accept-charset|transfer-.*)$/,
  own: /^(?:idempotency-key|prefer|last-event-id|range|if-.*|x-baton-.*|x-stainless-.*|origin|referer|sec-.*)$/,
  pinned: /^anthropic-version$/,
}

const faultOf = (name: string): string | null => {
  const reasons = Object.keys(because) as (keyof typeof because)[]
  const reason = reasons.find(each => refused[each].test(name))
  return reason === undefined ? null : `${name} ${because[reason]}`
}

/** The name of a header that may be forwarded to providers, in lower case. */
export const forwardedHeader = z
  .string()
  .regex(/^[\w!#$%&'*+.^`|~-]{1,100}$/, 'expected the name of an HTTP header')
  .transform(name => name.toLowerCase())
  .superRefine((name, context) => {
    const message = faultOf(name)
    if (message !== null) context.addIssue({ code: 'custom', message })
  })
