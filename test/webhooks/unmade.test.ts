import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { shardOf } from '../../src/redis/keys.ts'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { createWebhookReceiver, type WebhookReceiver } from '../../src/sim/webhook-receiver.ts'
import { type BatonApi, openBaton } from '../support/open-baton.ts'

const secret = `whsec_${randomBytes(32).toString('base64')}`

let sim: SimProvider
let baton: BatonApi
let receiver: WebhookReceiver
const lines: string[] = []

beforeAll(async () => {
  sim = createSimProvider()
  receiver = createWebhookReceiver({ secret })
  await Promise.all([sim.start(), receiver.start()])
  baton = await openBaton({
    level: 'api',
    webhooks: true,
    batches: true,
    logTo: { write: line => void lines.push(line) },
    config: {
      providers: { first: { type: 'openai', base_url: `${sim.url}/v1`, api_key: 'k' } },
      models: { 'gpt-4': { provider: 'first' } },
      webhooks: { secret, allowed_networks: ['127.0.0.0/8'] },
    },
  })
})
afterAll(async () => {
  await baton.stop()
  await Promise.all([sim.stop(), receiver.stop()])
})

const ask = async (method: string, path: string, body?: object | FormData) => {
  const isForm = body instanceof FormData
  const response = await fetch(`${baton.url}${path}`, {
    method,
    headers: body && !isForm ? { 'content-type': 'application/json' } : {},
    ...(body && { body: isForm ? body : JSON.stringify(body) }),
  })
  return (await response.json()) as {
    id: string
    data: { job_id?: string; batch_id?: string; reason: string }[]
  }
}

const chat = { model: 'gpt-4', messages: [{ role: 'user', content: 'hi' }] }

const submitBatch = async (): Promise<string> => {
  const form = new FormData()
  const line = { custom_id: 'a', method: 'POST', url: '/v1/chat/completions', body: chat }
  form.set('purpose', 'batch')
  form.set('file', new File([`${JSON.stringify(line)}\n`], 'in.jsonl'))
  const { id } = await ask('POST', '/v1/files', form)
  const wish = { endpoint: '/v1/chat/completions', completion_window: '24h', webhook: { url: receiver.url } }
  return (await ask('POST', '/v1/batches', { input_file_id: id, ...wish })).id
}
const submitJob = async (): Promise<string> =>
  (await ask('POST', '/v1/jobs', { body: chat, webhook: { url: receiver.url } })).id

describe('a webhook event that cannot be made', () => {
  it.each([
    ['job', 'result', submitJob],
    ['batch', 'ended_at', submitBatch],
  ] as const)(
    'an event of a %s that cannot be made fails like any delivery, up to the dead letters',
    async (kind, field, submit) => {
      const { redis, keys } = baton.context
      receiver.script({ kind: 'status', status: 500 })
      const id = await submit()
      const record = kind === 'job' ? keys.record(id) : keys.batch(id)
      const delivery = (status: string, attempts: number, reason: string) =>
        until(async () => {
          const now = await redis.hmget(record, 'delivery', 'deliveries', 'delivery_reason')
          return now.join() === `${status},${attempts},${reason}`
        })
      await delivery('pending', 1, 'status_500')
      // A time that no calendar has: the event cannot say when.
      const written = (await redis.hget(record, field))!
      await redis.hset(record, field, written.replace(/[0-9]{13}/, '9e18'))
      for (let attempt = 1; attempt <= 9; attempt++) {
        await redis.zadd(keys.schedule(shardOf(id)), 'XX', Date.now(), `${id}.w.${attempt}`)
        await delivery(attempt < 9 ? 'pending' : 'dead', attempt + 1, 'unmade')
      }
      expect(lines.some(line => line.includes('event of a webhook not built') && line.includes(id))).toBe(
        true,
      )

      await redis.hset(record, field, written)
      const { data } = await ask('GET', '/v1/dead-letters')
      expect(data).toContainEqual(expect.objectContaining({ [`${kind}_id`]: id, reason: 'unmade' }))
      await ask('POST', `/v1/dead-letters/${id}/redeliver`)
      await delivery('delivered', 11, '200')
      expect(receiver.deliveries.at(-1)!.isVerified).toBe(true)
    },
  )
})
