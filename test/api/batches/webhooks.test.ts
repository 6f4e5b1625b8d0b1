import { randomBytes } from 'node:crypto'
import OpenAI from 'openai'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../../harness/until.ts'
import { createWebhookReceiver, type WebhookReceiver } from '../../../src/sim/webhook-receiver.ts'
import { line } from '../../batches/batch-desk.ts'
import { type Batch, type BatchApi, desk, openBatchApi } from '../batch-deployment.ts'

const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`
const secret = newSecret()
const own = newSecret()

let api: BatchApi
let receiver: WebhookReceiver
let client: OpenAI
beforeAll(async () => {
  receiver = createWebhookReceiver({ secret: own })
  await receiver.start()
  api = await openBatchApi({ config: { webhooks: { secret, allowed_networks: ['127.0.0.0/8'] } } })
  client = new OpenAI({ apiKey: 'right', baseURL: `${api.url}/v1`, webhookSecret: own })
})
afterAll(async () => {
  await api[Symbol.asyncDispose]()
  await receiver.stop()
})

const withWebhook = (more: object = {}) =>
  ({ webhook: { url: receiver.url, secret: own }, ...more }) as object

const ends: Record<string, () => Promise<Batch>> = {
  completed: () => desk(client).submit(line('a', 'plain'), withWebhook({ metadata: { job: 'nightly' } })),
  failed: () => desk(client).submit('nonsense', withWebhook()),
  expired: async () => {
    const baseURL = `${await api.lateApi(59_000)}/v1`
    return desk(client.withOptions({ baseURL })).submit(
      line('a', 'hang'),
      withWebhook({ completion_window: '1m' }),
    )
  },
  cancelled: async () => {
    const { id } = await desk(client).submit(line('a', 'hang'), withWebhook())
    return client.batches.cancel(id)
  },
}

describe('webhooks of batches', () => {
  it.each(Object.entries(ends))(
    'the official client verifies what it is told of a batch that is %s',
    async (status, begin) => {
      const { id } = await begin()
      const delivery = await until(() => receiver.deliveries.find(({ text }) => text.includes(id)))
      const { text, headers } = delivery as { text: string; headers: Record<string, string> }
      const event = await client.webhooks.unwrap(text, headers)
      expect(event).toMatchObject({
        id: id.replace('batch_', 'evt_'),
        object: 'event',
        type: `batch.${status}`,
        data: { id, status },
      })
      expect(event.created_at).toBeGreaterThan(1_700_000_000)

      const tampered = text.replace(status, 'completely-other')
      await expect(client.webhooks.unwrap(tampered, headers)).rejects.toThrow(
        OpenAI.InvalidWebhookSignatureError,
      )
      await expect(client.webhooks.unwrap(text, headers, secret)).rejects.toThrow(
        OpenAI.InvalidWebhookSignatureError,
      )
      const anHourAgo = new Date(Date.now() - 3_600_000)
      const old = {
        ...headers,
        'webhook-timestamp': String(Math.floor(anHourAgo.getTime() / 1_000)),
        'webhook-signature': new Webhook(own).sign(headers['webhook-id']!, anHourAgo, text),
      }
      await expect(client.webhooks.unwrap(text, old)).rejects.toThrow(/too old/)

      const batch = await until(async () => {
        const now = (await client.batches.retrieve(id)) as Batch & {
          webhook: { status: string; attempts: number }
        }
        return now.webhook.status === 'delivered' && now
      })
      expect(batch.webhook).toEqual({ url: receiver.url, status: 'delivered', attempts: 1 })
      expect(JSON.stringify(batch)).not.toContain(own)
    },
  )
})
