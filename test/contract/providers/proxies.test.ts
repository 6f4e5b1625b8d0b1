import { readFileSync } from 'node:fs'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { inspect } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { inspectConfig } from '../../../src/config/load.ts'
import { configSchema } from '../../../src/config/schema.ts'
import type { ProxySettings } from '../../../src/net/choose-proxy.ts'
import { proxyFor } from '../../../src/net/choose-proxy.ts'
import { createProvider } from '../../../src/providers/create-provider.ts'
import { openProxyServer } from '../../support/proxy-server.ts'
import { startReceiver } from '../../webhooks/receiver.ts'
import { openUpstream, requestOf } from './open-provider.ts'

const request = requestOf('/v1/chat/completions', { model: 'm', messages: [] })
const fixture = (name: string) =>
  readFileSync(new URL(`../../webhooks/fixtures/${name}`, import.meta.url), 'utf8')
const certificate = { key: fixture('receiver.key.pem'), cert: fixture('receiver.cert.pem') }

const trustCertificate = (): void => {
  const before = getCACertificates('default')
  setDefaultCACertificates([...before, certificate.cert])
  onTestFinished(() => setDefaultCACertificates(before))
}

const open = (base_url: string, around: ProxySettings, more: object = {}) => {
  const settings = { type: 'openai-compatible', base_url, ...more }
  const config = configSchema.parse({ providers: { subject: settings } }).providers.subject!
  const provider = createProvider('subject', config, Date.now, undefined, around)
  onTestFinished(() => provider.close())
  return provider
}

const answering = () => openUpstream((_request, response) => response.end('{"ok":1}'))
const withUser = (url: string) => url.replace('http://', 'http://user:p%40ss@')
const basic = `Basic ${Buffer.from('user:p@ss').toString('base64')}`

describe('proxies to providers', () => {
  test('plain requests are told to the proxy of the environment, with its credentials', async () => {
    const upstream = await answering()
    const { port } = new URL(upstream.url)
    const proxy = await openProxyServer()
    const provider = open(`http://api.test:${port}/v1`, {
      http: withUser(proxy.url),
      https: 'http://127.0.0.1:1',
    })
    expect(await provider.call(request)).toMatchObject({ status: 200, json: { ok: 1 } })
    expect(proxy.asked).toEqual([`POST http://api.test:${port}/v1/chat/completions`])
    expect(proxy.credentials).toEqual([basic])
    expect(upstream.arrivals).toMatchObject([
      { path: '/v1/chat/completions', headers: { host: `api.test:${port}` } },
    ])
  })

  test('encrypted requests go through a tunnel, under the certificate of the name', async () => {
    trustCertificate()
    const { port, deliveries } = await startReceiver(
      (_request, response) => response.end('{"ok":1}'),
      certificate,
    )
    const proxy = await openProxyServer()
    const around = { https: withUser(proxy.url), http: 'http://127.0.0.1:1' }
    const provider = open(`https://receiver.test:${port}/v1`, around)
    expect(await provider.call(request)).toMatchObject({ status: 200, json: { ok: 1 } })
    expect(await provider.call(request)).toMatchObject({ status: 200 })
    expect(new Set(proxy.asked)).toEqual(new Set([`CONNECT receiver.test:${port}`]))
    expect(proxy.credentials[0]).toBe(basic)
    expect(deliveries[0]!.headers).not.toHaveProperty('proxy-authorization')
    const other = open(`https://other.test:${port}/v1`, around)
    expect(await other.call(request)).toMatchObject({ kind: 'break', reason: 'tls', sent: false })
  })

  test("a provider's own proxy wins, also for this machine, and can be none", async () => {
    const upstream = await answering()
    const [own, around] = [await openProxyServer(), await openProxyServer()]
    const url = `${upstream.url}/v1`
    expect(await open(url, { http: around.url }, { proxy: own.url }).call(request)).toMatchObject({
      status: 200,
    })
    expect([own.asked.length, around.asked.length]).toEqual([1, 0])
    const named = `http://api.test:${new URL(url).port}/v1`
    expect(await open(named, { http: around.url }, { proxy: 'direct' }).call(request)).toMatchObject({
      kind: 'break',
      reason: 'dns',
    })
    expect(around.asked).toEqual([])
  })

  test('the environment has no say for this machine', async () => {
    const upstream = await answering()
    const proxy = await openProxyServer()
    const { port } = new URL(upstream.url)
    for (const host of ['127.0.0.1', 'localhost']) {
      expect(await open(`http://${host}:${port}/v1`, { http: proxy.url }).call(request)).toMatchObject({
        status: 200,
      })
    }
    expect(proxy.asked).toEqual([])
  })

  test.each([407, 403, 502])(
    'a proxy that answers %i made no connection, and nothing was sent',
    async status => {
      const proxy = await openProxyServer({ refuse: status })
      const secure = await open('https://api.test/v1', { https: withUser(proxy.url) }).call(request)
      expect(secure).toMatchObject({ kind: 'break', reason: 'connect', sent: false })
      expect(inspect(secure, { depth: null })).not.toMatch(/p@ss|p%40ss|dXNlcj/)
    },
  )

  test('a proxy that wants other credentials is no answer of a plain provider either', async () => {
    const proxy = await openProxyServer({ refuse: 407 })
    expect(await open('http://api.test/v1', { http: proxy.url }).call(request)).toMatchObject({
      kind: 'break',
      reason: 'connect',
      sent: false,
    })
  })

  test('a proxy that is not there is a connection that was not made', async () => {
    for (const scheme of ['http', 'https'] as const) {
      const provider = open(`${scheme}://api.test/v1`, { [scheme]: 'http://127.0.0.1:1' })
      expect(await provider.call(request)).toMatchObject({ kind: 'break', reason: 'connect', sent: false })
    }
  })

  test('a call that is cancelled while the proxy connects is not sent', async () => {
    const silent = await startReceiver(() => undefined)
    const provider = open('https://api.test/v1', { https: silent.url }, { connect_timeout: '50ms' })
    expect(await provider.call(request)).toMatchObject({ kind: 'break', reason: 'connect', sent: false })
  })

  const http = 'http://proxy.test:3128'
  test.each<[address: string, except: string, proxied: boolean]>([
    ['http://169.254.169.254/latest', '', false],
    ['http://metadata.google.internal/', '', false],
    ['https://api.example.com', '', true],
    ['https://api.example.com', 'example.com', false],
    ['https://api.example.com', '.example.com', false],
    ['https://api.example.com', '*.EXAMPLE.com', false],
    ['https://notexample.com', 'example.com', true],
    ['https://example.com', 'a.test, example.com ,b.test', false],
    ['https://example.com.', 'example.com', false],
    ['https://example.com:8443', 'example.com:443', true],
    ['https://example.com', 'example.com:443', false],
    ['http://10.1.2.3', '10.0.0.0/8', false],
    ['http://11.1.2.3', '10.0.0.0/8', true],
    ['http://10.1.2.3', '10.1.2.3', false],
    ['http://[fd00::1]:8080', 'fd00::/8', false],
    ['http://[fd00::1]:8080', '[fd00::1]:8080', false],
    ['https://example.com', '*', false],
    ['http://127.1.2.3', '', false],
    ['http://[::1]', '', false],
    ['http://models.localhost:8000', '', false],
  ])('%s with NO_PROXY=%s: by proxy %s', (address, except, proxied) => {
    const chosen = proxyFor(new URL(address), undefined, { http, https: http, except })
    expect(chosen?.href ?? null).toBe(proxied ? `${http}/` : null)
  })

  const inspected = (env: Record<string, string>, document: object = {}) =>
    inspectConfig({
      path: null,
      document,
      lookup: name => (env[name] ? { value: env[name], source: 'environment' } : null),
      lineOf: () => undefined,
    })

  test('the environment is read in both cases, the lower one first, and without a scheme', () => {
    const env = {
      HTTP_PROXY: 'http://upper',
      http_proxy: 'lower:3128',
      HTTPS_PROXY: 'https://s',
      no_proxy: 'a.test',
    }
    expect(inspected(env, { proxy: { https: 'http://file' } }).config?.proxy).toEqual({
      http: 'http://lower:3128',
      https: 'https://s',
      except: 'a.test',
    })
    expect(inspected({}, { proxy: { https: 'http://file' } }).config?.proxy).toEqual({ https: 'http://file' })
  })

  test('a proxy of another kind is a fault that does not quote it', () => {
    const { faults } = inspected({ HTTPS_PROXY: 'socks5://user:secret@host' })
    expect(faults).toMatchObject([{ path: 'proxy.https', message: expect.stringContaining('HTTPS_PROXY') }])
    expect(JSON.stringify(faults)).not.toContain('secret')
  })
})
