import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { DeliveryFailure } from '../../src/webhooks/send.ts'
import { patience } from '../support/patience.ts'
import { type Answer, startReceiver } from './receiver.ts'
import { deliveryTo, startSender } from './sending.ts'

const never: Answer = () => {}
const failure = (reason: DeliveryFailure) => ({ delivered: false, reason, status: null, retryAfterMs: null })

/** A port that answers each connection with these bytes, and its host. */
const startPort = async (bytes: string) => {
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.resume().end(bytes)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = () => new Promise<void>(resolve => server.close(() => resolve()))
  onTestFinished(close)
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, close }
}

describe('failures of webhook deliveries', () => {
  describe('the timeout bounds', () => {
    test('a receiver that never answers, whose connection is then closed', async () => {
      const receiver = await startReceiver(never)
      expect(await startSender({ timeoutMs: 200 }).send(deliveryTo(receiver.url))).toEqual(failure('timeout'))
      expect(receiver.deliveries).toHaveLength(1)
      await vi.waitFor(() => expect(receiver.openConnections()).toBe(0), patience)
    })

    test('a resolver that never answers', async () => {
      const sender = startSender({ timeoutMs: 200, resolve: () => new Promise(() => {}) })
      expect(await sender.send(deliveryTo('https://hooks.example.com/'))).toEqual(failure('timeout'))
    })
  })

  test('a name that is found only after the attempt has ended leads to no connection', async () => {
    const receiver = await startReceiver()
    const resolved = Promise.withResolvers<readonly string[]>()
    const sender = startSender({ timeoutMs: 50, resolve: () => resolved.promise })
    const url = receiver.url.replace('127.0.0.1', 'hooks.example.com')
    expect(await sender.send(deliveryTo(url))).toEqual(failure('timeout'))
    resolved.resolve(['127.0.0.1'])
    expect(await sender.send(deliveryTo(url, { id: 'evt_02' }))).toMatchObject({ delivered: true })
    expect(receiver.deliveries.map(({ headers }) => headers['webhook-id'])).toEqual(['evt_02'])
    expect(receiver.connections()).toBe(1)
  })

  describe('a connection that breaks', () => {
    test('during the answer is a reset', async () => {
      const { url } = await startReceiver((request, _response) => request.socket.resetAndDestroy())
      expect(await startSender().send(deliveryTo(url))).toEqual(failure('reset'))
    })

    test('for speaking something else is a reset', async () => {
      const { host } = await startPort('SSH-2.0-OpenSSH_9.9\r\n')
      expect(await startSender().send(deliveryTo(`http://${host}/`))).toEqual(failure('reset'))
    })

    test('because nobody listens is told as such', async () => {
      const { host, close } = await startPort('')
      await close()
      expect(await startSender().send(deliveryTo(`http://${host}/`))).toEqual(failure('connect'))
    })

    test.each([
      ['unknown', () => Promise.reject(Object.assign(new Error('unknown'), { code: 'ENOTFOUND' }))],
      ['without addresses', async () => []],
    ])('because its name is %s is a DNS failure', async (_case, resolve) => {
      const sender = startSender({ resolve })
      expect(await sender.send(deliveryTo('https://hooks.example.com/'))).toEqual(failure('dns'))
    })
  })

  describe('an attempt that we end', () => {
    test('by its signal is aborted, and its connection closed', async () => {
      const receiver = await startReceiver(never)
      const shutdown = new AbortController()
      const sent = startSender().send(deliveryTo(receiver.url, { signal: shutdown.signal }))
      await vi.waitFor(() => expect(receiver.deliveries).toHaveLength(1), patience)
      shutdown.abort()
      expect(await sent).toEqual(failure('aborted'))
      await vi.waitFor(() => expect(receiver.openConnections()).toBe(0), patience)
    })

    test('while it waits for a name is aborted at once', async () => {
      const shutdown = new AbortController()
      const resolve = () => {
        shutdown.abort()
        return new Promise<never>(() => {})
      }
      const startedMs = performance.now()
      const delivery = deliveryTo('https://hooks.example.com/', { signal: shutdown.signal })
      expect(await startSender({ resolve }).send(delivery)).toEqual(failure('aborted'))
      expect(performance.now() - startedMs).toBeLessThan(5_000)
    })

    test('before it began reaches nobody', async () => {
      const receiver = await startReceiver()
      const sender = startSender()
      expect(await sender.send(deliveryTo(receiver.url, { signal: AbortSignal.abort() }))).toEqual(
        failure('aborted'),
      )
      expect(receiver.deliveries).toHaveLength(0)
    })

    test('by closing the sender is aborted; closing again is harmless; later attempts are aborted', async () => {
      const receiver = await startReceiver(never)
      const sender = startSender()
      const sent = sender.send(deliveryTo(receiver.url))
      await vi.waitFor(() => expect(receiver.deliveries).toHaveLength(1), patience)
      await Promise.all([sender.close(), sender.close()])
      expect(await sent).toEqual(failure('aborted'))
      expect(await sender.send(deliveryTo(receiver.url))).toEqual(failure('aborted'))
    })
  })

  test.each([
    ['no secret', []],
    ['a secret that is not base64', ['whsec_!']],
  ])('with %s nothing is sent', async (_case, secrets) => {
    const receiver = await startReceiver()
    expect(await startSender().send(deliveryTo(receiver.url, { secrets }))).toEqual(failure('unsignable'))
    expect(receiver.connections()).toBe(0)
  })
})
