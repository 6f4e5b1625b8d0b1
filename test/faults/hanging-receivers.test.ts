import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { createWebhookReceiver, type WebhookReceiver } from '../../src/sim/webhook-receiver.ts'
import { openRig, type Rig, submitted } from './rig.ts'

const secret = `whsec_${'A'.repeat(32)}`

let rig: Rig
let well: WebhookReceiver
let hanging: Server[]
let asked: number

const startHanging = async (): Promise<string> => {
  const server = createServer(() => {
    asked += 1
  })
  hanging.push(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
}

beforeEach(async () => {
  asked = 0
  hanging = []
  well = createWebhookReceiver({ secret })
  await well.start()
  // A place stays taken for longer than this test would wait for one.
  const webhooks = { secret, allowed_networks: ['127.0.0.0/8'], concurrency: 20, timeout: '10m' }
  rig = await openRig({ config: { webhooks } })
  await Promise.all([rig.site.worker('first'), rig.site.worker('webhooks')])
})
afterEach(async () => {
  await rig.close()
  await well.stop()
  for (const server of hanging) {
    server.closeAllConnections()
    server.close()
  }
})

const submitAll = (count: number, hookOf: (i: number) => string): Promise<string[]> =>
  Promise.all(
    Array.from({ length: count }, (_, i) =>
      submitted(rig.client, { model: 'plain', user: `u${i}`, webhook: { url: hookOf(i) } }),
    ),
  )
/** All have come to their end, and their webhooks to the worker. */
const rung = async (ids: readonly string[]): Promise<void> => {
  await Promise.all(ids.map(id => rig.client.ended(id)))
}

describe('receivers that hang', () => {
  it('300 deliveries to a receiver that hangs delay nobody else’s', { timeout: 180_000 }, async () => {
    const url = await startHanging()
    await rung(await submitAll(300, () => url))
    await until(() => asked > 0)
    await rung(await submitAll(50, () => `${well.url}/hook`))
    await until(() => well.events.length === 50, 60_000)
    expect(asked).toBeLessThanOrEqual(2)
  })

  it('nor do deliveries to many receivers that all hang', { timeout: 180_000 }, async () => {
    await rung(await submitAll(1, () => `${well.url}/hook`))
    await until(() => well.events.length === 1, 60_000)
    const urls = await Promise.all(Array.from({ length: 60 }, startHanging))
    await rung(await submitAll(120, i => urls[i % urls.length]!))
    await until(() => asked > 0)
    await rung(await submitAll(50, () => `${well.url}/hook`))
    await until(() => well.events.length === 51, 60_000)
    expect(asked).toBeLessThanOrEqual(4)
  })
})
