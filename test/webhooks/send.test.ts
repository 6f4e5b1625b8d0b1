import OpenAI from 'openai'
import { Webhook } from 'standardwebhooks'
import { describe, expect, test, vi } from 'vitest'
import { patience } from '../support/patience.ts'
import { type Answer, startReceiver } from './receiver.ts'
import { deliveryTo, secret, startSender } from './sending.ts'

const answering =
  (status: number, headers: Record<string, string> = {}): Answer =>
  (_request, response) =>
    response.writeHead(status, headers).end('{"thanks":true}')

/** Sends headers, then a byte now and then for ever. */
const trickle: Answer = (_request, response) => {
  response.writeHead(200)
  const timer = setInterval(() => response.write('x'), 20)
  response.on('close', () => clearInterval(timer))
}

/** Sends headers and much of a body, and never ends it. */
const flood: Answer = (_request, response) => {
  response.writeHead(200)
  response.write('x'.repeat(100_000))
}

describe('a webhook delivery over http', () => {
  describe('a delivery', () => {
    test('is posted as signed JSON that the receivers’ libraries verify', async () => {
      const receiver = await startReceiver()
      const delivery = deliveryTo(`${receiver.url}?job=1#part`)
      expect(await startSender().send(delivery)).toEqual({ delivered: true, status: 200 })

      const [received] = receiver.deliveries
      expect(received).toMatchObject({ method: 'POST', path: '/hook?job=1', body: delivery.body })
      expect(received!.headers).toMatchObject({
        'content-type': 'application/json',
        'user-agent': 'Baton/test',
        'webhook-id': 'evt_01',
        'webhook-timestamp': String(Math.floor(delivery.nowMs / 1_000)),
      })
      const headers = received!.headers as Record<string, string>
      const event = JSON.parse(delivery.body)
      expect(new Webhook(secret).verify(received!.body, headers)).toEqual(event)
      const openai = new OpenAI({ apiKey: 'unused', webhookSecret: secret })
      expect(await openai.webhooks.unwrap(received!.body, headers)).toEqual(event)
    })

    test('uses a connection again once the short answer is read', async () => {
      const receiver = await startReceiver(answering(200))
      const sender = startSender()
      const ids = ['evt_1', 'evt_2', 'evt_3', 'evt_4', 'evt_5', 'evt_6']
      for (const id of ids) await sender.send(deliveryTo(receiver.url, { id }))
      expect(receiver.deliveries.map(({ headers }) => headers['webhook-id'])).toEqual(ids)
      // undici frees a connection a tick after its answer ended, so the second delivery may open another.
      expect(receiver.connections()).toBeLessThanOrEqual(2)
    })
  })

  describe('the status decides', () => {
    test.each([200, 201, 202, 204])('%d is a success', async status => {
      const { url } = await startReceiver(answering(status))
      expect(await startSender().send(deliveryTo(url))).toEqual({ delivered: true, status })
    })

    test.each([
      [400, 'status'],
      [404, 'status'],
      [500, 'status'],
      [410, 'gone'],
      [301, 'redirect'],
      [304, 'redirect'],
      [308, 'redirect'],
    ])('%d is a failure: %s', async (status, reason) => {
      const { url } = await startReceiver(answering(status))
      expect(await startSender().send(deliveryTo(url))).toEqual({
        delivered: false,
        reason,
        status,
        retryAfterMs: null,
      })
    })

    test('a redirect is not followed', async () => {
      const target = await startReceiver()
      const { url } = await startReceiver(answering(307, { location: target.url }))
      expect(await startSender().send(deliveryTo(url))).toMatchObject({ reason: 'redirect', status: 307 })
      expect(target.connections()).toBe(0)
    })

    test.each([
      [429, '7', 7_000],
      [503, 'Sat, 06 Dec 2025 05:47:43 GMT', 60_000],
      [429, 'soon', null],
    ])('%d with Retry-After %s is passed on as %s ms', async (status, retryAfter, retryAfterMs) => {
      const { url } = await startReceiver(answering(status, { 'retry-after': retryAfter }))
      const nowMs = Date.parse('2025-12-06T05:46:43Z')
      expect(await startSender().send(deliveryTo(url, { nowMs }))).toEqual({
        delivered: false,
        reason: 'status',
        status,
        retryAfterMs,
      })
    })
  })

  describe('an answer’s body does not hold the delivery', () => {
    test.each([
      ['trickling for ever, it is cut off after a second', trickle, 5_000],
      ['too long, it is cut off at once', flood, 900],
    ])('%s, and its connection with it', async (_case, answer, withinMs) => {
      const receiver = await startReceiver(answer)
      const startedMs = performance.now()
      expect(await startSender().send(deliveryTo(receiver.url))).toEqual({ delivered: true, status: 200 })
      expect(performance.now() - startedMs).toBeLessThan(withinMs)
      await vi.waitFor(() => expect(receiver.openConnections()).toBe(0), patience)
    })

    test('broken off after the headers, it still counts', async () => {
      const { url } = await startReceiver((_request, response) => {
        response.writeHead(200, { 'content-length': '1000' })
        response.write('x', () => response.destroy())
      })
      expect(await startSender().send(deliveryTo(url))).toEqual({ delivered: true, status: 200 })
    })
  })
})
