import { readFileSync } from 'node:fs'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openProxyServer } from '../support/proxy-server.ts'
import { startReceiver } from './receiver.ts'
import { deliveryTo, startSender } from './sending.ts'

const read = (name: string) => readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8')
const certificate = { key: read('receiver.key.pem'), cert: read('receiver.cert.pem') }
const toLoopback = async () => ['127.0.0.1']

describe('webhook deliveries through a proxy', () => {
  test('the proxy is asked for the address that was checked, and TLS for the name', async () => {
    const before = getCACertificates('default')
    setDefaultCACertificates([...before, certificate.cert])
    onTestFinished(() => setDefaultCACertificates(before))
    const { port, deliveries } = await startReceiver(undefined, certificate)
    const proxy = await openProxyServer()
    const sender = startSender({ resolve: toLoopback, proxy: new URL(proxy.url) })
    const delivered = { delivered: true, status: 200 }
    expect(await sender.send(deliveryTo(`https://receiver.test:${port}/hook`))).toEqual(delivered)
    expect(proxy.asked).toEqual([`CONNECT 127.0.0.1:${port}`])
    expect(deliveries).toMatchObject([{ headers: { host: `receiver.test:${port}` } }])
  })

  test('plain deliveries are tunnelled too', async () => {
    const receiver = await startReceiver()
    const proxy = await openProxyServer()
    const sender = startSender({ resolve: toLoopback, proxy: new URL(proxy.url) })
    expect(await sender.send(deliveryTo(`http://receiver.test:${receiver.port}/`))).toMatchObject({
      delivered: true,
    })
    expect(await sender.send(deliveryTo(receiver.url))).toMatchObject({ delivered: true })
    expect(proxy.asked).toEqual(Array(2).fill(`CONNECT 127.0.0.1:${receiver.port}`))
  })

  test('the proxy is not asked for a forbidden address', async () => {
    const proxy = await openProxyServer()
    const forbidden = { delivered: false, reason: 'forbidden_address' }
    const sender = startSender({ resolve: async () => ['10.0.0.1'], proxy: new URL(proxy.url) })
    expect(await sender.send(deliveryTo('https://receiver.test/'))).toMatchObject(forbidden)
    expect(await sender.send(deliveryTo('https://10.0.0.1/'))).toMatchObject(forbidden)
    expect(proxy.asked).toEqual([])
  })

  test('what a proxy refuses is a connection that was not made', async () => {
    const proxy = await openProxyServer({ refuse: 407 })
    const sender = startSender({ resolve: toLoopback, proxy: new URL(proxy.url) })
    expect(await sender.send(deliveryTo('https://receiver.test/'))).toMatchObject({
      delivered: false,
      reason: 'connect',
    })
  })
})
