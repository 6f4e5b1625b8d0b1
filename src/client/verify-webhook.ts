import type { WebhookEvent } from './api-types.ts'
import { parsed } from './client-error.ts'

export type { WebhookEvent }

export type WebhookErrorCode =
  /** One of `webhook-id`, `webhook-timestamp` and `webhook-signature` is missing or malformed. */
  | 'missing_headers'
  /** The delivery was signed too long ago, or in the future: somebody may send an old one again. */
  | 'timestamp_refused'
  | 'signature_refused'
  /** The signature is right, and what is signed is no event. */
  | 'not_an_event'
  /** The body was parsed before it came here, and its bytes are gone. */
  | 'body_consumed'
  | 'body_too_large'

/** A delivery is not what it should be. Its message has nothing of the secret or the body. */
export class WebhookError extends Error {
  readonly code: WebhookErrorCode

  constructor(code: WebhookErrorCode, message: string) {
    super(message)
    this.name = 'WebhookError'
    this.code = code
  }
}

/** As `Headers` has them, or `IncomingMessage`. */
export type WebhookHeaders =
  | { get(name: string): string | null }
  | Readonly<Record<string, string | readonly string[] | undefined>>

export interface Secrets {
  /** `whsec_…`. Several while one is exchanged for another. */
  readonly secret: string | readonly string[]
  /** How old a signature may be, and how far ahead of this clock; 300 by default. */
  readonly toleranceSeconds?: number
}

/** Its name in whichever case: gateways and functions of clouds hand on headers with names of their own case. */
const headerOf = (headers: WebhookHeaders, name: string): string => {
  const value =
    typeof headers.get === 'function'
      ? (headers as Headers).get(name)
      : Object.entries(headers).find(([given]) => given.toLowerCase() === name)?.[1]
  const [first, ...others] = [value].flat()
  if (typeof first === 'string' && first !== '' && others.length === 0) return first
  throw new WebhookError('missing_headers', `The header ${name} is missing.`)
}

const bytesOf = (base64: string): Uint8Array<ArrayBuffer> | null => {
  try {
    return Uint8Array.from(atob(base64), letter => letter.charCodeAt(0))
  } catch {
    return null
  }
}

const noSecret = 'a webhook secret is `whsec_` and base64'

const keysOf = ({ secret }: Secrets) => {
  const texts = [secret].flat()
  if (texts.length === 0) throw new TypeError(noSecret)
  return texts.map(text => {
    // A variable that is not set, as JavaScript has it.
    const bytes = typeof text === 'string' ? bytesOf(text.replace(/^whsec_/, '')) : null
    if (bytes === null || bytes.length === 0) throw new TypeError(noSecret)
    return crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify'])
  })
}

/** A delivery that was checked. */
export interface Verified {
  readonly id: string
  readonly event: WebhookEvent
}

export type VerifyWebhook = (body: string | Uint8Array, headers: WebhookHeaders) => Promise<Verified>

/**
 * What checks deliveries as Standard Webhooks says: that the signature over id, time and the body's very bytes is by one of the
 * secrets, and fresh. It throws WebhookError. Throws TypeError for a secret that is none.
 */
export const createVerifier = (secrets: Secrets): VerifyWebhook => {
  const keys = keysOf(secrets)
  const tolerance = secrets.toleranceSeconds ?? 300
  return async (body, headers) => {
    const [id, time, signatures] = (['id', 'timestamp', 'signature'] as const).map(name =>
      headerOf(headers, `webhook-${name}`),
    ) as [string, string, string]
    if (!/^\d{1,12}$/.test(time))
      throw new WebhookError('missing_headers', 'webhook-timestamp is not a time.')
    if (Math.abs(Date.now() / 1_000 - Number(time)) > tolerance)
      throw new WebhookError('timestamp_refused', 'The delivery was signed too long ago, or in the future.')
    const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
    const head = new TextEncoder().encode(`${id}.${time}.`)
    const signed = new Uint8Array(head.length + bytes.length)
    signed.set(head)
    signed.set(bytes, head.length)
    // A sender that exchanges its secret signs with both.
    const given = signatures.split(' ').flatMap(text => {
      const [version, signature = ''] = text.split(',')
      return version === 'v1' ? (bytesOf(signature) ?? []) : []
    })
    for (const key of keys)
      for (const signature of given)
        if (await crypto.subtle.verify('HMAC', await key, signature, signed))
          return { id, event: eventIn(bytes) }
    throw new WebhookError('signature_refused', 'The signature does not verify.')
  }
}

const eventIn = (bytes: Uint8Array): WebhookEvent => {
  const event = parsed(new TextDecoder().decode(bytes)) as WebhookEvent | null
  if (typeof event?.type === 'string' && typeof event.id === 'string') return event
  throw new WebhookError('not_an_event', 'The body is not an event of Baton.')
}

/** Checks one delivery. Throws WebhookError, or TypeError for a secret that is none. */
export const verifyWebhook = async (
  body: string | Uint8Array,
  headers: WebhookHeaders,
  secrets: Secrets,
): Promise<WebhookEvent> => (await createVerifier(secrets)(body, headers)).event
