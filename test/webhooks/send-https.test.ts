import { readFileSync } from 'node:fs'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startReceiver } from './receiver.ts'
import { deliveryTo, startSender } from './sending.ts'

/** Self-signed for receiver.test; it guards nothing but these tests. */
const read = (name: string) => readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8')
const certificate = { key: read('receiver.key.pem'), cert: read('receiver.cert.pem') }

const trust = (cert: string) => {
  const before = getCACertificates('default')
  setDefaultCACertificates([...before, cert])
  onTestFinished(() => setDefaultCACertificates(before))
}

const toLoopback = async () => ['127.0.0.1']
const tlsFailure = { delivered: false, reason: 'tls', status: null, retryAfterMs: null }

describe('webhook deliveries over https', () => {
  test('https is delivered to the checked address under the name’s certificate', async () => {
    trust(certificate.cert)
    const { port } = await startReceiver(undefined, certificate)
    const sender = startSender({ resolve: toLoopback })
    expect(await sender.send(deliveryTo(`https://receiver.test:${port}/hook`))).toEqual({
      delivered: true,
      status: 200,
    })
  })

  test('a certificate of another name is refused', async () => {
    trust(certificate.cert)
    const receiver = await startReceiver(undefined, certificate)
    const sender = startSender({ resolve: toLoopback })
    expect(await sender.send(deliveryTo(`https://other.test:${receiver.port}/hook`))).toEqual(tlsFailure)
    expect(receiver.deliveries).toHaveLength(0)
  })

  test('a certificate that nobody vouches for is refused', async () => {
    const receiver = await startReceiver(undefined, certificate)
    const sender = startSender({ resolve: toLoopback })
    expect(await sender.send(deliveryTo(`https://receiver.test:${receiver.port}/hook`))).toEqual(tlsFailure)
    expect(receiver.deliveries).toHaveLength(0)
  })

  test('https to a port that speaks plain http is a TLS failure', async () => {
    const { port } = await startReceiver()
    expect(await startSender().send(deliveryTo(`https://127.0.0.1:${port}/`))).toEqual(tlsFailure)
  })
})
