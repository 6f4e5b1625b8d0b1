import { Webhook } from 'standardwebhooks'

export interface SignedHeaders {
  readonly 'webhook-id': string
  readonly 'webhook-timestamp': string
  readonly 'webhook-signature': string
}

/**
 * The Standard Webhooks headers of one attempt: the id stays the same over retries, timestamp and signature do
 * not. `secrets` are `whsec_` and base64, the newest first; each signs, so that receivers can rotate theirs
 * without missing a delivery. Throws when there is none, or one that is not base64: nothing goes out unsigned.
 */
export const signedHeaders = (delivery: {
  id: string
  timestampSec: number
  body: string
  secrets: readonly string[]
}): SignedHeaders => {
  const { id, timestampSec, body, secrets } = delivery
  if (secrets.length === 0) throw new Error('a webhook needs a secret')
  const signedAt = new Date(timestampSec * 1_000)
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestampSec),
    'webhook-signature': secrets.map(secret => new Webhook(secret).sign(id, signedAt, body)).join(' '),
  }
}
