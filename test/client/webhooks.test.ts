import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import fastify from 'fastify'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { Baton } from '../../src/client/client.ts'
import {
  createWebhookHandler,
  verifyWebhook,
  WebhookError,
  type WebhookEvent,
  type WebhookHandler,
  type WebhookOptions,
} from '../../src/client/webhooks.ts'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { type BatonApi, openBaton } from '../support/open-baton.ts'

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const other = `whsec_${Buffer.alloc(32, 8).toString('base64')}`

interface Receiver {
  readonly url: string
  close(): Promise<unknown>
}

const listen = async (
  take: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Receiver> => {
  const server = createServer(take)
  await new Promise<void>(ready => server.listen(0, '127.0.0.1', ready))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`
  return { url, close: () => new Promise(closed => server.close(closed)) }
}

/** Each kind of server that the handler is for. */
const servers: Readonly<Record<string, (handler: WebhookHandler) => Promise<Receiver>>> = {
  'node:http, as Express has it': handler =>
    listen((request, response) => void handler.express(request, response)),
  'Express behind express.raw()': handler =>
    listen(async (request, response) => {
      const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Uint8Array>))
      await handler.express(Object.assign(request, { body }), response)
    }),
  Fastify: async handler => {
    const app = fastify()
    // A route beside it goes on reading JSON.
    app.post('/json', async request => request.body)
    await app.register(handler.fastify, { path: '/hooks' })
    const origin = await app.listen({ port: 0, host: '127.0.0.1' })
    const answer = await app.inject({ method: 'POST', url: '/json', payload: { a: 1 } })
    expect(answer.json()).toEqual({ a: 1 })
    return { url: `${origin}/hooks`, close: () => app.close() }
  },
  'a server of Request and Response': handler =>
    listen(async (request, response) => {
      const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Uint8Array>))
      const asked = new Request(`http://x${request.url}`, {
        method: 'POST',
        headers: request.headers as Record<string, string>,
        body,
      })
      const answer = await handler.fetch(asked)
      response.writeHead(answer.status).end(await answer.text())
    }),
}

let sim: SimProvider
let api: BatonApi
let baton: Baton

beforeAll(async () => {
  sim = createSimProvider()
  await sim.start()
  api = await openBaton({
    level: 'api',
    webhooks: true,
    config: {
      providers: { first: { type: 'openai', base_url: `${sim.url}/v1`, api_key: 'k' } },
      models: { 'gpt-4': { provider: 'first' } },
      webhooks: { secret, allowed_networks: ['127.0.0.0/8'] },
    },
  })
  baton = new Baton({ baseUrl: api.url })
})
afterAll(async () => {
  await api?.stop()
  await sim?.stop()
})

const submit = (url: string) =>
  baton.submit({ model: 'gpt-4', messages: [{ role: 'user', content: 'hi ü' }] }, { webhook: { url } })

const signed = (body: string, id = 'evt_1', by = secret, at = new Date()) => ({
  'content-type': 'application/json',
  'webhook-id': id,
  'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
  'webhook-signature': new Webhook(by).sign(id, at, body),
})

const event = JSON.stringify({ type: 'job.succeeded', id: 'evt_1', object: 'event', data: { id: 'job_1' } })

describe.each(Object.entries(servers))('webhooks received by %s', (name, serve) => {
  it('are checked, handled once and answered', async () => {
    const events: WebhookEvent[] = []
    const handled = new Set<string>()
    const receiver = await serve(
      createWebhookHandler({ secret: [other, secret], handled, onEvent: event => events.push(event) }),
    )
    const { id } = await submit(receiver.url)
    const { webhook } = await until(async () => {
      const job = await baton.jobs.get(id)
      return job.webhook?.status === 'delivered' ? job : null
    })
    expect(webhook).toMatchObject({ attempts: 1 })
    expect(events).toMatchObject([{ type: 'job.succeeded', data: { id, status: 'succeeded' } }])
    expect([...handled]).toEqual([events[0]!.id])

    const send = async (headers: Record<string, string>, body = event) =>
      (await fetch(receiver.url, { method: 'POST', headers, body })).status
    expect(await send(signed(event))).toBe(204)
    expect(await send(signed(event))).toBe(204)
    expect(events).toHaveLength(2)
    expect(await send(signed(event, 'evt_2', `whsec_${Buffer.alloc(32, 9).toString('base64')}`))).toBe(401)
    expect(await send(signed(event), `${event} `)).toBe(401)
    expect(await send(signed(event, 'evt_2', secret, new Date(Date.now() - 3_600_000)))).toBe(401)
    expect(await send({ 'content-type': 'application/json' })).toBe(400)
    expect(await send(signed('[]'), '[]')).toBe(400)
    const long = 'x'.repeat(3_000_000)
    // What `express.raw()` takes is for itself to say.
    const answers = await Promise.all(Array.from({ length: 10 }, () => send(signed(long), long)))
    if (!name.endsWith('raw()')) expect(new Set(answers)).toEqual(new Set([413]))
    expect(events).toHaveLength(2)
    await receiver.close()
  })
})

describe('a handler', () => {
  const answer = async (options: Omit<WebhookOptions, 'secret'>) => {
    const request = () => new Request('http://x/', { method: 'POST', headers: signed(event), body: event })
    const { fetch } = createWebhookHandler({ secret, ...options })
    return Promise.all([fetch(request()), fetch(request())]).then(all => all.map(({ status }) => status))
  }

  it('that throws is asked again later', async () => {
    const errors: unknown[] = []
    const handled = new Set<string>()
    const onEvent = () => {
      throw new Error('no database')
    }
    expect(await answer({ onEvent, handled, onError: error => errors.push(error) })).toEqual([500, 500])
    expect([...handled]).toEqual([])
    expect(errors[0]).toMatchObject({ message: 'no database' })
  })

  it('runs once where an event comes twice at a time', async () => {
    let runs = 0
    const { promise, resolve } = Promise.withResolvers<void>()
    const onEvent = async () => {
      runs++
      setTimeout(resolve, 10)
      await promise
    }
    expect(await answer({ onEvent })).toEqual([204, 204])
    expect(runs).toBe(1)
  })

  it('says that a parsed body cannot be checked', async () => {
    const errors: unknown[] = []
    const handler = createWebhookHandler({ secret, onEvent: () => undefined, onError: e => errors.push(e) })
    const receiver = await listen(async (request, response) => {
      await Array.fromAsync(request as AsyncIterable<Uint8Array>)
      await handler.express(Object.assign(request, { body: { parsed: true } }), response)
    })
    expect((await fetch(receiver.url, { method: 'POST', headers: signed(event), body: event })).status).toBe(
      500,
    )
    const read = new Request('http://x/', { method: 'POST', headers: signed(event), body: event })
    await read.text()
    expect(await handler.fetch(read)).toMatchObject({ status: 500 })
    expect(errors).toMatchObject([{ code: 'body_consumed' }, { code: 'body_consumed' }])
    await receiver.close()
  })

  it('takes no secret that is none', () => {
    for (const secret of ['whsec_%%', 'whsec_', '', [], undefined as unknown as string])
      expect(() => createWebhookHandler({ secret, onEvent: () => undefined })).toThrow(/^a webhook secret is/)
  })
})

it('a delivery is checked alone, and its error has nothing of the secret', async () => {
  expect(await verifyWebhook(event, signed(event), { secret })).toMatchObject({ type: 'job.succeeded' })
  const shouted = Object.entries(signed(event)).map(([name, value]) => [name.toUpperCase(), [value]])
  expect(await verifyWebhook(event, Object.fromEntries(shouted), { secret })).toMatchObject({ id: 'evt_1' })
  // As a sender that exchanges its secret for another.
  const [first, second] = [signed(event, 'evt_1', other), signed(event)]
  const both = {
    ...second,
    'webhook-signature': `${first['webhook-signature']} ${second['webhook-signature']}`,
  }
  expect(await verifyWebhook(event, both, { secret })).toMatchObject({ id: 'evt_1' })
  const error = await verifyWebhook(event, new Headers(signed(event)), { secret: other }).catch(
    error => error,
  )
  expect(error).toBeInstanceOf(WebhookError)
  expect(error).toMatchObject({ code: 'signature_refused' })
  expect(String(error)).not.toContain(other)
})
