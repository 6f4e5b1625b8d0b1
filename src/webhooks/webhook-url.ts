import { BatonError } from '../domain/errors.ts'
import type { AddressGuard } from './address-guard.ts'
import { literalAddress, type Resolve, resolveAll, resolveWithin } from './address-guard.ts'

const maxUrlLength = 2048

/** A slow name server must not hold up a submission; the check at connect time is the one that protects. */
const resolveWithinMs = 1_000

const invalid = (message: string): BatonError =>
  new BatonError('invalid_webhook_url', message, { param: 'webhook.url' })

const parse = (text: string): URL => {
  if (text.length > maxUrlLength) throw invalid(`The webhook URL is longer than ${maxUrlLength} characters.`)
  const url = URL.parse(text)
  if (url === null) throw invalid('The webhook URL is not a URL.')
  if (!['https:', 'http:'].includes(url.protocol)) throw invalid('The webhook URL must begin with https://.')
  if (url.username !== '' || url.password !== '')
    throw invalid('The webhook URL must not carry credentials; deliveries are signed instead.')
  return url
}

/** Empty when the name is unknown or its resolver is slow. */
const knownAddresses = async (
  hostname: string,
  resolve: Resolve,
  tenant: string | undefined,
): Promise<readonly string[]> => {
  const literal = literalAddress(hostname)
  if (literal !== null) return [literal]
  try {
    return (await resolveWithin(resolve, hostname, { share: tenant, timeoutMs: resolveWithinMs })) ?? []
  } catch {
    return []
  }
}

/**
 * Checks a webhook URL at submission. Throws a BatonError with param `webhook.url`: `invalid_webhook_url`, or
 * `webhook_address_forbidden` when any address of the host is forbidden. A name that does not resolve (yet) is
 * accepted over https. Plain http must prove itself: it needs a host known to lie in an allowed network. The
 * messages name no resolved address, which would let clients map the internal DNS. `tenant`: in whose share of lookups.
 */
export const assertWebhookUrl = async (
  text: string,
  guard: AddressGuard,
  resolve: Resolve = resolveAll,
  tenant?: string,
): Promise<void> => {
  const url = parse(text)
  const addresses = await knownAddresses(url.hostname, resolve, tenant)
  if (!addresses.every(guard.permits))
    throw new BatonError('webhook_address_forbidden', 'The webhook URL leads to a private address.', {
      param: 'webhook.url',
    })
  const mayBePlain = addresses.length > 0 && addresses.every(guard.allowsPlainHttp)
  if (url.protocol === 'http:' && !mayBePlain) throw invalid('The webhook URL must begin with https://.')
}
