import { onTestFinished } from 'vitest'
import { createAddressGuard } from '../../src/webhooks/address-guard.ts'
import {
  createWebhookSender,
  type WebhookRequest,
  type WebhookSender,
  type WebhookSenderOptions,
} from '../../src/webhooks/send.ts'

export const loopback = createAddressGuard(['127.0.0.0/8'])
export const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

/** A sender that may reach 127.0.0.0/8 and ends with the test. */
export const startSender = (options: Partial<WebhookSenderOptions> = {}): WebhookSender => {
  const sender = createWebhookSender({
    guard: loopback,
    timeoutMs: 10_000,
    userAgent: 'Baton/test',
    ...options,
  })
  onTestFinished(() => sender.close())
  return sender
}

export const deliveryTo = (url: string, overrides: Partial<WebhookRequest> = {}): WebhookRequest => ({
  url,
  tenant: 'default',
  id: 'evt_01',
  body: '{"type":"job.succeeded","text":"grüße"}',
  secrets: [secret],
  nowMs: Date.now(),
  signal: new AbortController().signal,
  ...overrides,
})
