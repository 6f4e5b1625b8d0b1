import { Webhook } from 'standardwebhooks'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createWebhookReceiver } from '../../src/sim/webhook-receiver.ts'
import { post } from './provider-fixture.ts'

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

async function startReceiver() {
  const receiver = createWebhookReceiver({ secret })
  onTestFinished(() => receiver.stop())
  await receiver.start()
  return receiver
}

function signed(id: string, text: string, at = new Date(), key = secret) {
  const timestamp = String(Math.floor(at.getTime() / 1_000))
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': new Webhook(key).sign(id, at, text),
  }
}

const event = { type: 'job.succeeded', id: 'evt_1' }
const text = JSON.stringify(event)

describe('the webhook receiver', () => {
  test('a signed event is taken, and a repetition is counted but taken once', async () => {
    const receiver = await startReceiver()
    const statuses = [
      (await post(receiver.url, text, signed('evt_1', text))).status,
      (await post(receiver.url, text, signed('evt_1', text))).status,
      (await post(`${receiver.url}/any/path`, text, signed('evt_2', text))).status,
    ]
    expect(statuses).toEqual([200, 200, 200])
    expect(receiver.events).toEqual([event, event])
    expect([...receiver.countById]).toEqual([
      ['evt_1', 2],
      ['evt_2', 1],
    ])
    expect(receiver.deliveries[0]).toMatchObject({ id: 'evt_1', isVerified: true, text, status: 200 })
  })

  const longAgo = new Date(Date.now() - 301_000)
  const otherKey = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

  test.each([
    ['a tampered body', text.replace('succeeded', 'failed'), signed('evt_1', text)],
    ['another id', text, { ...signed('evt_1', text), 'webhook-id': 'evt_2' }],
    ['another key', text, signed('evt_1', text, new Date(), otherKey)],
    ['an old timestamp', text, signed('evt_1', text, longAgo)],
    ['no signature', text, {}],
  ])('%s is rejected with 401 and never becomes an event', async (_, body, headers) => {
    const receiver = await startReceiver()
    receiver.script({ kind: 'status', status: 500 })
    expect((await post(receiver.url, body, headers)).status).toBe(401)
    expect(receiver.events).toEqual([])
    expect(receiver.countById.size).toBe(0)
    expect(receiver.deliveries).toMatchObject([{ isVerified: false, event: undefined, status: 401 }])
    // The script waits for a delivery that verifies.
    expect((await post(receiver.url, text, signed('evt_1', text))).status).toBe(500)
  })

  test('scripted reactions come in their order, and then it is 200 again', async () => {
    const receiver = await startReceiver()
    receiver.script(
      { kind: 'status', status: 500, times: 2 },
      { kind: 'status', status: 429, headers: { 'retry-after': '7' } },
      { kind: 'redirect', location: 'http://127.0.0.1:9/' },
      { kind: 'status', status: 410 },
    )
    const answers = []
    for (let i = 0; i < 6; i++) answers.push(await post(receiver.url, text, signed('evt_1', text)))
    expect(answers.map(answer => answer.status)).toEqual([500, 500, 429, 302, 410, 200])
    expect(answers[2]?.headers.get('retry-after')).toBe('7')
    expect(answers[3]?.headers.get('location')).toBe('http://127.0.0.1:9/')
    expect(receiver.events).toEqual([event])
    expect(receiver.countById.get('evt_1')).toBe(6)
  })

  test('a reaction can last for ever', async () => {
    const receiver = await startReceiver()
    receiver.script({ kind: 'status', status: 503, times: Infinity })
    for (let i = 0; i < 3; i++) expect((await post(receiver.url, text, signed('e', text))).status).toBe(503)
  })

  test('a hanging delivery is seen but not taken, a slow one is answered late', async () => {
    const receiver = await startReceiver()
    receiver.script({ kind: 'hang' }, { kind: 'slow', delayMs: 60 })
    const leave = new AbortController()
    const hanging = post(receiver.url, text, signed('evt_1', text), leave.signal)
    const ended = expect(hanging).rejects.toThrow('aborted')
    await receiver.waitFor(deliveries => deliveries.length === 1)
    expect(receiver.deliveries[0]?.status).toBeNull()
    expect(receiver.events).toEqual([])
    leave.abort()
    await ended

    const startedMs = performance.now()
    expect((await post(receiver.url, text, signed('evt_1', text))).status).toBe(200)
    expect(performance.now() - startedMs).toBeGreaterThan(58)
  })

  test('waitFor answers for what came before and what comes after, and gives up in time', async () => {
    const receiver = await startReceiver()
    const two = receiver.waitFor(deliveries => deliveries.filter(({ isVerified }) => isVerified).length === 2)
    await post(receiver.url, text, signed('evt_1', text))
    await post(receiver.url, text, signed('evt_2', text))
    await two
    await receiver.waitFor(deliveries => deliveries.some(({ id }) => id === 'evt_1'))
    await expect(receiver.waitFor(deliveries => deliveries.length > 2, 30)).rejects.toThrow(
      'no such deliveries within 30 ms; 2 came',
    )
  })

  test('it stops with a delivery hanging, and as often as it is told', async () => {
    const receiver = await startReceiver()
    receiver.script({ kind: 'hang' })
    const ended = expect(post(receiver.url, text, signed('evt_1', text))).rejects.toThrow('fetch failed')
    await receiver.waitFor(deliveries => deliveries.length === 1)
    await Promise.all([receiver.stop(), receiver.stop()])
    await ended
  })
})
