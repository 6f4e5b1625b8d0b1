import { randomBytes } from 'node:crypto'
import { type Link, openLink } from '../../harness/link.ts'
import { type NameServer, startNameServer, type Zone } from '../../harness/name-server.ts'
import { createHttpListener } from '../../src/sim/http-listener.ts'
import { createWebhookReceiver, type Delivery, type WebhookReceiver } from '../../src/sim/webhook-receiver.ts'
import type { JobOrder } from '../plan/load.ts'

/** Where webhooks go. */
export interface Receivers {
  readonly secret: string
  /** All that came, to either receiver. */
  readonly deliveries: readonly Delivery[]
  readonly receiver: WebhookReceiver
  /** Between the webhook worker and the receiver. */
  readonly link: Link
  /** Between the webhook worker and another receiver, which hangs now and then. */
  readonly hangingLink: Link
  /** Resolves names of receivers, for all processes but the API. */
  readonly names: NameServer
  /** The same, for the API: it must know where a webhook goes before it takes it over plain http. */
  readonly doorNames: NameServer
  /** Where the webhook of a job goes; that of a batch without a job. */
  urlFor(order?: Pick<JobOrder, 'webhook' | 'marker'>): string
  close(): Promise<void>
}

/** Each webhook has a name of its own: one that was found would be remembered. */
const zone: Zone = { '*.hooks.test': { addresses: ['127.0.0.1'], ttl: 1 } }
export const silentZone: Zone = { '*.hooks.test': 'silent' }
export const soundZone = zone

const startReceiver = async (secret: string) => {
  const receiver = createWebhookReceiver({ secret })
  const { hostname, port } = new URL((await receiver.start()).url)
  return { receiver, link: await openLink({ host: hostname, port: Number(port) }) }
}

export const openReceivers = async (): Promise<Receivers> => {
  const secret = `whsec_${randomBytes(32).toString('base64')}`
  const kept = await startReceiver(secret)
  const hanging = await startReceiver(secret)
  /** Answers 410: this receiver does not want its webhooks any more. */
  const gone = createHttpListener((req, res) => {
    req.resume()
    req.once('end', () => res.writeHead(410).end())
  })
  const { url: goneUrl } = await gone.start()
  const [names, doorNames] = await Promise.all([startNameServer(zone), startNameServer(zone)])

  return {
    secret,
    get deliveries() {
      return [...kept.receiver.deliveries, ...hanging.receiver.deliveries]
    },
    receiver: kept.receiver,
    link: kept.link,
    hangingLink: hanging.link,
    names,
    doorNames,
    urlFor: ({ webhook, marker } = { webhook: 'kept', marker: '' }) => {
      if (webhook === 'gone') return `${goneUrl}/hook`
      if (webhook === 'hanging') return `http://${hanging.link.address}/hook`
      if (webhook === 'named') return `http://${marker}.hooks.test:${kept.link.port}/hook`
      return `http://${kept.link.address}/hook`
    },
    close: async () => {
      await Promise.all([
        ...[kept, hanging].flatMap(({ receiver, link }) => [link.close(), receiver.stop()]),
        ...[names, doorNames].map(server => server[Symbol.asyncDispose]()),
        gone.stop(),
      ])
    },
  }
}
