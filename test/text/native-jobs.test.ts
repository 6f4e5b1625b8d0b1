import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { createWebhookReceiver, type WebhookReceiver } from '../../src/sim/webhook-receiver.ts'
import { runIn } from '../cli/run-in-folder.ts'
import { type RecordingUpstream, startUpstream } from '../contract/providers/recording-upstream.ts'
import { anyJson, deepJson, fragileJson } from '../json/any-json.ts'
import { type BatonApi, openBaton } from '../support/open-baton.ts'

const secret = `whsec_${randomBytes(32).toString('base64')}`

let upstream: RecordingUpstream
let baton: BatonApi
let receiver: WebhookReceiver
/** What the provider answers. */
let answer: { status: number; text: string }

/** A chat completion with a member that no client knows. */
const completion = (extra: string): string =>
  `{"id":"c1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"four"},` +
  `"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1},"x":${extra}}`
const request = (extra: string): string =>
  `{"model":"m","messages":[{"role":"user","content":"hi"}],"x":${extra}}`

beforeAll(async () => {
  upstream = await startUpstream((_, response) => {
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.text)
  })
  baton = await openBaton({
    level: 'api',
    webhooks: true,
    batches: true,
    config: {
      providers: { first: { type: 'openai', base_url: `${upstream.url}/v1`, api_key: 'k' } },
      models: { m: { provider: 'first' } },
      webhooks: { secret, allowed_networks: ['127.0.0.0/8'] },
    },
  })
})
afterAll(async () => {
  await baton.stop()
  await upstream.close()
})
beforeEach(async () => {
  answer = { status: 200, text: completion('1') }
  upstream.arrivals.length = 0
  receiver = createWebhookReceiver({ secret })
  await receiver.start()
})
afterEach(() => receiver.stop())

const http = async (method: string, path: string, text?: string, headers: Record<string, string> = {}) => {
  const response = await fetch(`${baton.url}${path}`, {
    method,
    headers: { ...(text !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(text !== undefined && { body: text }),
  })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

const idIn = (text: string): string => /"id":"(\w+)"/.exec(text)![1]!

const submit = async (body: string, more = '', headers: Record<string, string> = {}): Promise<string> => {
  const { status, text } = await http('POST', '/v1/jobs', `{"body":${body}${more}}`, headers)
  expect(status, text).toBe(202)
  return idIn(text)
}

describe('text of native jobs', () => {
  describe('a request', () => {
    it.each(fragileJson)('reaches the provider to the byte: %s', async (_, text) => {
      const body = request(text)
      await baton.ended(await submit(body))
      expect(upstream.arrivals.map(arrival => arrival.text)).toEqual([body])
    })

    it('of any text reaches the provider to the byte', async () => {
      await fc.assert(
        fc.asyncProperty(anyJson, async text => {
          upstream.arrivals.length = 0
          await baton.ended(await submit(request(text)))
          expect(upstream.arrivals.map(arrival => arrival.text)).toEqual([request(text)])
        }),
        { numRuns: 60 },
      )
    })

    it('that is retried goes out as it was', async () => {
      const body = request('[9007199254740993,1.0,1e400]')
      answer = { status: 400, text: '{"error":{"message":"no","type":"invalid_request_error"}}' }
      const id = await submit(body)
      await baton.ended(id)
      const { status, text } = await http('POST', `/v1/jobs/${id}/retry`)
      expect(status).toBe(202)
      await baton.ended(idIn(text))
      expect(upstream.arrivals.map(arrival => arrival.text)).toEqual([body, body])
    })

    it('counts as another one under an Idempotency-Key where only the text of a number differs', async () => {
      const key = { 'idempotency-key': randomBytes(8).toString('hex') }
      const id = await submit(request('9007199254740993'), '', key)
      expect(await submit(request('9007199254740993'), '', key)).toBe(id)
      const other = await http('POST', '/v1/jobs', `{"body":${request('9007199254740992')}}`, key)
      expect([other.status, JSON.parse(other.text).error.code]).toEqual([422, 'idempotency_key_reused'])
    })
  })

  const bodyIn = (text: string, statusCode = 200): string => {
    const start = text.indexOf(`"response":{"status_code":${statusCode},"body":`)
    expect(start).toBeGreaterThan(0)
    return text.slice(text.indexOf('"body":', start) + 7)
  }

  describe('an answer', () => {
    it.each(fragileJson)('is shown to the byte: %s', async (_, text) => {
      answer.text = completion(text)
      const id = await submit(request('1'))
      await baton.ended(id)
      const got = await http('GET', `/v1/jobs/${id}`)
      expect(got.status).toBe(200)
      expect(got.headers.get('content-type')).toContain('application/json')
      expect(bodyIn(got.text).startsWith(`${answer.text}}`)).toBe(true)
      expect(JSON.parse(got.text)).toMatchObject({ id, status: 'succeeded', usage: { input_tokens: 3 } })
    })

    it.each(fragileJson)('comes by a long poll: %s', async (_, text) => {
      answer.text = completion(text)
      const got = await http('GET', `/v1/jobs/${await submit(request('1'))}`, undefined, {
        prefer: 'wait=20',
      })
      expect(bodyIn(got.text).startsWith(`${answer.text}}`)).toBe(true)
    })

    it.each(fragileJson)('comes in the events of its job, on one line: %s', async (_, text) => {
      answer.text = completion(text)
      const id = await submit(request('1'))
      const got = await http('GET', `/v1/jobs/${id}`, undefined, { accept: 'text/event-stream' })
      const [, data] = /\nevent: job\.succeeded\ndata: (.*)\n\n$/.exec(got.text) ?? []
      expect(bodyIn(data ?? '').startsWith(`${answer.text.replace(/[\r\n]+/g, ' ')}}`)).toBe(true)
    })

    it.each(fragileJson)('is delivered by a webhook: %s', async (_, text) => {
      answer.text = completion(text)
      const id = await submit(request('1'), `,"webhook":{"url":"${receiver.url}"}`)
      await receiver.waitFor(deliveries => deliveries.length > 0)
      const [delivery] = receiver.deliveries
      new Webhook(secret).verify(delivery!.text, delivery!.headers as Record<string, string>)
      if (answer.text.length > 20_000) {
        expect(JSON.parse(delivery!.text).data).toEqual({ id, object: 'job', status: 'succeeded' })
      } else expect(bodyIn(delivery!.text).startsWith(`${answer.text}}`)).toBe(true)
      const record = await until(async () => {
        const now = await baton.context.store.read(id)
        return now?.delivery?.status === 'delivered' ? now : null
      })
      expect(record.delivery?.attempts).toBe(1)
    })

    it('nested as deep as an event has room for is in it whole', async () => {
      answer.text = completion(deepJson(9_000))
      await submit(request('1'), `,"webhook":{"url":"${receiver.url}"}`)
      await receiver.waitFor(deliveries => deliveries.length > 0)
      expect(bodyIn(receiver.deliveries[0]!.text).startsWith(`${answer.text}}`)).toBe(true)
    })

    it('of a size counted in bytes, not in characters, makes an event thin', async () => {
      answer.text = completion(`"${'é'.repeat(9_700)}"`)
      expect(answer.text.length).toBeLessThan(11_000)
      await submit(request('1'), `,"webhook":{"url":"${receiver.url}"}`)
      await receiver.waitFor(deliveries => deliveries.length > 0)
      expect(Object.keys(JSON.parse(receiver.deliveries[0]!.text).data)).toEqual(['id', 'object', 'status'])
    })

    it.each(fragileJson)('is shown by the command as it is: %s', async (_, text) => {
      answer.text = completion(text)
      const id = await submit(request('1'))
      await baton.ended(id)
      const { exitCode, out } = await runIn({}, `jobs show ${id} --json`, { BATON_URL: baton.url })
      expect(exitCode).toBe(0)
      expect(out).toContain(`"body": ${answer.text}\n`)
    })

    it('that is no JSON is shown as a string', async () => {
      answer = { status: 400, text: 'model m: bad request {"a":1' }
      const id = await submit(request('1'))
      await baton.ended(id)
      const got = await http('GET', `/v1/jobs/${id}`)
      expect(JSON.parse(got.text).response).toEqual({ status_code: 400, body: answer.text })
    })

    it('stands in lists without its text, however deep it is', async () => {
      answer.text = completion(deepJson(20_000))
      const id = await submit(request('1'))
      await baton.ended(id)
      const { status, text } = await http('GET', '/v1/jobs')
      expect(status).toBe(200)
      expect(JSON.parse(text).data).toContainEqual(expect.objectContaining({ id, status: 'succeeded' }))
      expect(text).not.toContain('[[[[[')
    })

    it.each(fragileJson)('stands in the output of a batch as it is: %s', async (_, text) => {
      answer.text = completion(text)
      const line = JSON.stringify({
        custom_id: 'a',
        method: 'POST',
        url: '/v1/chat/completions',
        body: { model: 'm', messages: [{ role: 'user', content: 'hi' }] },
      })
      const form = new FormData()
      form.set('purpose', 'batch')
      form.set('file', new File([`${line}\n`], 'in.jsonl'))
      const file = (await (await fetch(`${baton.url}/v1/files`, { method: 'POST', body: form })).json()) as {
        id: string
      }
      const made = await http(
        'POST',
        '/v1/batches',
        JSON.stringify({
          input_file_id: file.id,
          endpoint: '/v1/chat/completions',
          completion_window: '24h',
        }),
      )
      const outputId = await until(async () => {
        const batch = JSON.parse((await http('GET', `/v1/batches/${idIn(made.text)}`)).text)
        return batch.status === 'completed' ? (batch.output_file_id as string) : null
      })
      const output = await http('GET', `/v1/files/${outputId}/content`)
      expect(output.text).toContain(`"body":${answer.text.replace(/[\r\n]+[ \t]*/g, '')}}`)
    })
  })
})
