import { randomBytes } from 'node:crypto'
import { createHttpListener } from '../../src/sim/http-listener.ts'
import { createWebhookReceiver, type Delivery, type WebhookReceiver } from '../../src/sim/webhook-receiver.ts'
import { type Link, openLink } from './link.ts'

/** Where webhooks go. */
export interface Receivers {
  readonly secret: string
  readonly deliveries: readonly Delivery[]
  readonly receiver: WebhookReceiver
  /** Between the webhook worker and the receiver. */
  readonly link: Link
  /** Verifies, counts, and takes everything. */
  readonly keptUrl: string
  /** Answers 410: whoever asked for these webhooks does not want them any more. */
  readonly goneUrl: string
  close(): Promise<void>
}

export const openReceivers = async (): Promise<Receivers> => {
  const secret = `whsec_${randomBytes(32).toString('base64')}`
  const receiver = createWebhookReceiver({ secret })
  const gone = createHttpListener((req, res) => {
    req.resume()
    req.once('end', () => res.writeHead(410).end())
  })
  const { url } = await receiver.start()
  const { url: goneUrl } = await gone.start()
  const { hostname, port } = new URL(url)
  const link = await openLink({ host: hostname, port: Number(port) })
  return {
    secret,
    deliveries: receiver.deliveries,
    receiver,
    link,
    keptUrl: `http://${link.address}/hook`,
    goneUrl: `${goneUrl}/hook`,
    close: async () => {
      await Promise.all([link.close(), receiver.stop(), gone.stop()])
    },
  }
}
