import { describe, expect, test } from 'vitest'
import { createAddressGuard, type Resolve } from '../../src/webhooks/address-guard.ts'
import { assertWebhookUrl } from '../../src/webhooks/webhook-url.ts'
import { type Answer, startReceiver } from './receiver.ts'
import { deliveryTo, startSender } from './sending.ts'

const nothingAllowed = createAddressGuard([])
const publicAddress = '93.184.216.34'

const forbidden = { delivered: false, reason: 'forbidden_address', status: null, retryAfterMs: null }

/** A name server that gives each answer once, and the last one from then on. */
const rebinding = (...answers: string[][]): Resolve & { asked(): number } => {
  let asked = 0
  const resolve: Resolve = async () => answers[Math.min(asked++, answers.length - 1)]!
  return Object.assign(resolve, { asked: () => asked })
}

const okAndClose: Answer = (_request, response) => response.writeHead(200, { connection: 'close' }).end()

describe('addresses of webhook deliveries', () => {
  describe('a forbidden address is not dialled', () => {
    test.each(['127.0.0.1', '2130706433', '0x7f.1', '[::ffff:127.0.0.1]'])('written as %s', async host => {
      const receiver = await startReceiver()
      const sender = startSender({ guard: nothingAllowed })
      for (const scheme of ['http', 'https'])
        expect(await sender.send(deliveryTo(`${scheme}://${host}:${receiver.port}/`))).toEqual(forbidden)
      expect(receiver.connections()).toBe(0)
    })

    test.each([
      ['alone', ['127.0.0.1']],
      ['behind a permitted one', ['127.0.0.2', '127.0.0.1']],
      ['mapped into IPv6', ['::ffff:127.0.0.1']],
    ])('found by name, %s', async (_case, addresses) => {
      const receiver = await startReceiver()
      const guard = createAddressGuard(['127.0.0.2/32'])
      const sender = startSender({ guard, resolve: async () => addresses })
      for (const scheme of ['http', 'https'])
        expect(await sender.send(deliveryTo(`${scheme}://hooks.example.com:${receiver.port}/`))).toEqual(
          forbidden,
        )
      expect(receiver.connections()).toBe(0)
    })

    test('found by localhost and the system resolver', async () => {
      const receiver = await startReceiver()
      const sender = startSender({ guard: nothingAllowed })
      for (const host of ['localhost', 'localhost.'])
        expect(await sender.send(deliveryTo(`https://${host}:${receiver.port}/`))).toEqual(forbidden)
      expect(receiver.connections()).toBe(0)
    })

    test('over plain http when it is merely public', async () => {
      const receiver = await startReceiver()
      // Stands in for a public address, which a test must not dial.
      const guard = { permits: () => true, allowsPlainHttp: () => false }
      const sender = startSender({ guard, resolve: async () => ['127.0.0.1'] })
      for (const host of ['hooks.example.com', '127.0.0.1'])
        expect(await sender.send(deliveryTo(`http://${host}:${receiver.port}/`))).toEqual(forbidden)
      expect(receiver.connections()).toBe(0)
    })
  })

  describe('DNS rebinding', () => {
    test('after submission does not lead into the private network', async () => {
      const receiver = await startReceiver()
      const url = `https://hooks.example.com:${receiver.port}/`
      const resolve = rebinding([publicAddress], ['127.0.0.1'])
      await assertWebhookUrl(url, nothingAllowed, resolve)
      expect(await startSender({ guard: nothingAllowed, resolve }).send(deliveryTo(url))).toEqual(forbidden)
      expect(receiver.connections()).toBe(0)
    })

    test('between check and connection finds no second resolution: the checked address is dialled', async () => {
      const receiver = await startReceiver()
      const resolve = rebinding(['127.0.0.1'], ['127.0.0.2'])
      const sender = startSender({ guard: createAddressGuard(['127.0.0.1/32']), resolve })
      expect(await sender.send(deliveryTo(`http://hooks.example.com:${receiver.port}/`))).toEqual({
        delivered: true,
        status: 200,
      })
      expect(resolve.asked()).toBe(1)
      expect(receiver.deliveries[0]!.headers.host).toBe(`hooks.example.com:${receiver.port}`)
    })

    test('between deliveries is caught when the next connection is made', async () => {
      const receiver = await startReceiver(okAndClose)
      const resolve = rebinding(['127.0.0.1'], ['127.0.0.2'])
      const sender = startSender({ guard: createAddressGuard(['127.0.0.1/32']), resolve })
      const delivery = deliveryTo(`http://hooks.example.com:${receiver.port}/`)
      expect(await sender.send(delivery)).toMatchObject({ delivered: true })
      expect(await sender.send(delivery)).toEqual(forbidden)
    })
  })
})
