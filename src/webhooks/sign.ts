import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'

export interface SignedHeaders {
  readonly 'webhook-id': string
  readonly 'webhook-timestamp': string
  readonly 'webhook-signature': string
}

/** Most deliveries are signed with one secret of a few. More than this many at once are seldom. */
const maxKeys = 1_000
const keys = new Map<string, KeyObject>()

const readKey = (secret: string): KeyObject => {
  const base64 = secret.replace(/^whsec_/, '')
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) throw new Error('a secret is whsec_ and base64')
  return createSecretKey(Buffer.from(base64, 'base64'))
}

/** To make a key takes as long as to sign three times with it. */
const keyOf = (secret: string): KeyObject => {
  const known = keys.get(secret)
  if (known) return known
  const key = readKey(secret)
  if (keys.size >= maxKeys) keys.clear()
  keys.set(secret, key)
  return key
}

/**
 * The Standard Webhooks headers of one attempt: the id stays the same over retries, timestamp and signature do
 * not. `secrets` are `whsec_` and base64, the newest first; each signs, so that receivers can rotate theirs
 * without missing a delivery. Throws when there is none, or one that is not base64: nothing goes out unsigned. Signed by
 * Node itself: the specification's own library, which tests hold this to, hashes in JavaScript and takes four times as long.
 */
export const signedHeaders = (delivery: {
  id: string
  timestampSec: number
  body: string
  secrets: readonly string[]
}): SignedHeaders => {
  const { id, timestampSec, body, secrets } = delivery
  if (secrets.length === 0) throw new Error('a webhook needs a secret')
  const signed = `${id}.${timestampSec}.${body}`
  const sign = (secret: string): string =>
    `v1,${createHmac('sha256', keyOf(secret)).update(signed).digest('base64')}`
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestampSec),
    'webhook-signature': secrets.map(sign).join(' '),
  }
}
