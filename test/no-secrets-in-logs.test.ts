import { randomBytes } from 'node:crypto'
import { Writable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../harness/until.ts'
import { createSimProvider, type SimProvider } from '../src/sim/sim-provider.ts'
import { createWebhookReceiver, type WebhookReceiver } from '../src/sim/webhook-receiver.ts'
import { type BatonApi, openBaton } from './support/open-baton.ts'

const webhookSecret = `whsec_${randomBytes(32).toString('base64')}`
const prompt = 'MARKER-PROMPT-8c1f'
const keys = { first: 'MARKER-KEY-ONE-77', second: 'MARKER-KEY-TWO-88', client: 'MARKER-CLIENT-KEY-99' }
/** Each route is a script of the simulated provider; the second provider speaks the other format. */
const models = [
  'gpt-4',
  'fail-400',
  'fail-401',
  'fail-429',
  'fail-500',
  'truncated',
  'reset',
  'refusal',
  'hang',
  'slow-300ms',
  ...['stream-error-first', 'stream-error-midway', 'reset-mid-body', 'stream-no-finish'],
]

const lines: string[] = []
let sims: SimProvider[]
let receiver: WebhookReceiver
let baton: BatonApi

beforeAll(async () => {
  sims = [createSimProvider(), createSimProvider()]
  receiver = createWebhookReceiver({ secret: webhookSecret })
  await Promise.all([...sims, receiver].map(server => server.start()))
  const route = { provider: 'first', fallback_to: 'claude' }
  baton = await openBaton({
    level: 'api',
    webhooks: true,
    batches: true,
    logTo: new Writable({
      write: (chunk, _, done) => {
        lines.push(String(chunk))
        done()
      },
    }),
    config: {
      providers: {
        first: {
          type: 'openai',
          base_url: `${sims[0]!.url}/v1`,
          api_key: keys.first,
          breaker: { min_calls: 4, reset: '200ms' },
        },
        second: { type: 'anthropic', base_url: sims[1]!.url, api_key: keys.second },
      },
      models: { ...Object.fromEntries(models.map(model => [model, route])), claude: { provider: 'second' } },
      api_keys: [keys.client],
      webhooks: { secret: webhookSecret, allowed_networks: ['127.0.0.0/8'] },
    },
  })
})
afterAll(async () => {
  await baton.stop()
  await Promise.all([...sims, receiver].map(server => server.stop()))
})

const submit = (model: string, more = {}) => baton.chat(model, { prompt, user: `u-${model}`, ...more })

const post = (path: string, body: string, key = keys.client): Promise<Response> =>
  fetch(`${baton.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body,
  })

/** Runs the text as a batch; answers once it has ended. */
const runBatch = async (text: string): Promise<string> => {
  const form = new FormData()
  form.set('purpose', 'batch')
  form.set('file', new Blob([text]), `${prompt}.jsonl`)
  const headers = { authorization: `Bearer ${keys.client}` }
  const file = await fetch(`${baton.url}/v1/files`, { method: 'POST', headers, body: form })
  const { id: input_file_id } = (await file.json()) as { id: string }
  const order = { input_file_id, endpoint: '/v1/chat/completions', completion_window: '24h' }
  const created = await post(
    '/v1/batches',
    JSON.stringify({ ...order, webhook: { url: receiver.url, secret: webhookSecret } }),
  )
  const { id } = (await created.json()) as { id: string }
  return until(async () => {
    const status = (await baton.context.batches.read(id))?.status
    return (status === 'completed' || status === 'failed') && status
  })
}

const batchLine = (model: string): string =>
  `${JSON.stringify({
    custom_id: `${prompt}-${model}`,
    method: 'POST',
    url: '/v1/chat/completions',
    body: { model, messages: [{ role: 'user', content: prompt }] },
  })}\n`

/** Makes Redis refuse the write of a result: the record is of another type for a while. */
const breakRecord = async (id: string): Promise<void> => {
  const { redis, keys } = baton.context
  const record = keys.record(id)
  await redis.rename(record, `${record}:aside`)
  await redis.set(record, 'no hash')
  try {
    await until(() => lines.some(line => line.includes('redis refuses writes')))
  } finally {
    await redis.rename(`${record}:aside`, record)
  }
}

const signatures = (): string[] =>
  receiver.deliveries.flatMap(d => String(d.headers['webhook-signature']).replace(/^v1,/, ''))

describe('the log', () => {
  it('no prompt, answer, key or signature reaches the log at any level, whatever happens', async () => {
    const webhook = { url: receiver.url, secret: webhookSecret }
    receiver.script({ kind: 'status', status: 500 }, { kind: 'status', status: 410 })
    const stuck = await submit('slow-300ms')
    await until(async () => (await baton.context.store.read(stuck))?.status === 'running')
    await breakRecord(stuck)
    await baton.ended(stuck)

    // Before the others: one of them has the key stopped, and then no call would hang.
    const hanging = await submit('hang', { webhook: { url: 'http://127.0.0.1:1/', secret: webhookSecret } })
    await until(async () => (await baton.context.store.read(hanging))?.status === 'running')
    const ids = await Promise.all(models.filter(m => m !== 'hang').map(model => submit(model, { webhook })))
    await baton.context.store.cancel(hanging)
    const jobs = await Promise.all([...ids, hanging].map(baton.ended))
    const short = await submit('hang', { windowMs: 300 })
    await baton.ended(short)

    const chat = JSON.stringify({ model: 'gpt-4', messages: [{ role: 'user', content: prompt }] })
    expect((await post('/v1/chat/completions', chat)).status).toBe(200)
    expect((await post('/v1/chat/completions', chat, 'MARKER-WRONG-KEY-11')).status).toBe(401)
    expect((await post('/v1/chat/completions', `{"model": ${prompt}`)).status).toBe(400)
    const unknown = { model: prompt, messages: [{ role: 'user', content: prompt }] }
    expect((await post('/v1/jobs', JSON.stringify({ body: unknown }))).status).toBe(404)
    expect((await post('/v1/jobs', JSON.stringify({ body: { ...unknown, messages: prompt } }))).status).toBe(
      400,
    )

    const streams = models.filter(model => model === 'gpt-4' || /stream|reset|fail/.test(model))
    const streamed = await Promise.all(
      streams.map(async model => {
        const body = JSON.stringify({ ...JSON.parse(chat), model, stream: true })
        const text = await (await post('/v1/chat/completions', body)).text()
        return Array.from(text.matchAll(/"content":"([^"]*)"/g), ([, piece]) => piece).join('')
      }),
    )
    const pieces = streamed.filter(text => text.length > 5)
    expect(pieces.length).toBeGreaterThan(3)

    expect(await runBatch(['gpt-4', 'fail-400', 'fail-429', 'refusal'].map(batchLine).join(''))).toBe(
      'completed',
    )
    expect(await runBatch(`${batchLine('gpt-4')}{"custom_id": ${prompt}\n${batchLine(prompt)}`)).toBe(
      'failed',
    )
    const badId = JSON.stringify({ requests: [{ custom_id: `not ${prompt}`, params: { model: prompt } }] })
    expect((await post('/v1/messages/batches', badId)).status).toBe(400)
    expect((await post('/v1/messages/batches', `{"requests": [${prompt}`)).status).toBe(400)

    await receiver.waitFor(deliveries => deliveries.length >= ids.length)
    await until(() => lines.some(line => line.includes('webhook given up')))
    await baton.stop()

    const log = lines.join('')
    const answers = jobs.flatMap(job =>
      job.response?.statusCode === 200 ? [answerOf(job.response.body)] : [],
    )
    expect(answers.length).toBeGreaterThan(3)
    expect(lines.length).toBeGreaterThan(50)
    expect(signatures().length).toBeGreaterThan(3)
    for (const told of [
      'redis refuses writes',
      'attempt failed',
      'job handed over',
      'webhook failed',
      'attempt interrupted',
      'batch ended',
      'request',
    ]) {
      expect(log).toContain(told)
    }
    const secrets = [
      prompt,
      ...answers,
      ...pieces,
      'MARKER-',
      webhookSecret,
      webhookSecret.slice(6),
      ...signatures(),
    ]
    for (const secret of secrets) {
      expect(secret.length).toBeGreaterThan(5)
      expect(lines.filter(line => line.includes(secret))).toEqual([])
    }
  })

  const answerOf = (body: string): string => {
    const { choices } = JSON.parse(body) as {
      choices: { message: { content: string | null; refusal?: string } }[]
    }
    const { content, refusal } = choices[0]!.message
    return content || refusal || 'no text at all'
  }
})
