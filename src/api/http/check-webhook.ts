import { BatonError } from '../../domain/errors.ts'
import type { WebhookTarget } from '../../domain/job.ts'
import { assertWebhookUrl } from '../../webhooks/webhook-url.ts'
import type { WebhookRequest } from '../jobs/request-schemas.ts'
import type { ApiParts } from '../parts.ts'

/** Throws `webhook_secret_missing`, or what `assertWebhookUrl` does. */
export const checkWebhook = async (
  { config, addressGuard, resolve }: Pick<ApiParts, 'addressGuard' | 'config' | 'resolve'>,
  webhook: WebhookRequest,
  tenant: string,
): Promise<WebhookTarget> => {
  const { url, secret } = webhook
  if (!secret && !config.webhooks.secret) {
    throw new BatonError(
      'webhook_secret_missing',
      'This server has no `webhooks.secret` to sign with; give the webhook a `secret` of its own.',
      { param: 'webhook.secret' },
    )
  }
  await assertWebhookUrl(url, addressGuard, resolve, tenant)
  return { url, ...(secret && { secret }) }
}
