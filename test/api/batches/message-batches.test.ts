import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../../harness/until.ts'
import { BlobStoreError } from '../../../src/files/blobs/blob-store.ts'
import { postBlindly, traces } from '../forms.ts'
import { create, get, many, one, params, path, post, remains } from '../message-batch-calls.ts'
import { call, openTestApi, type TestApi } from '../test-api.ts'

const maxBytes = 1_000_000
const maxRequests = 1_000

const config = {
  batches: { anthropic_max_bytes: maxBytes, anthropic_max_requests: maxRequests, max_line_bytes: 100_000 },
  webhooks: { allowed_networks: ['10.0.0.0/8'] },
}

const open = (more: object = {}) => openTestApi({ config: { ...config, ...more } })

let api: TestApi
beforeAll(async () => {
  api = await open()
})
afterAll(() => api[Symbol.asyncDispose]())

describe('POST /v1/messages/batches', () => {
  it('shows a new batch with every key of Anthropic’s', async () => {
    const before = Date.now()
    const { status, json, headers } = await post(api, { requests: [one('a'), one('b')] })
    expect(status).toBe(200)
    expect(json).toEqual({
      id: expect.stringMatching(/^msgbatch_[0-9a-z]{26}$/),
      type: 'message_batch',
      processing_status: 'in_progress',
      request_counts: { processing: 2, succeeded: 0, errored: 0, canceled: 0, expired: 0 },
      progress: { total: 2, processing: 2, succeeded: 0, errored: 0, canceled: 0, expired: 0 },
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
      expires_at: expect.any(String),
      ended_at: null,
      cancel_initiated_at: null,
      archived_at: null,
      results_url: null,
      providers: {},
      cost_usd: null,
      max_cost_usd: null,
      retry_of: null,
      blocked: null,
      estimated_completion_at: null,
      warning: null,
      webhook: null,
    })
    const createdAt = Date.parse(json.created_at)
    expect(createdAt).toBeGreaterThanOrEqual(before)
    expect(Date.parse(json.expires_at) - createdAt).toBe(86_400_000)
    expect(headers.get('request-id')).toMatch(/^req_/)
    expect((await get(api, `/${json.id}`)).json).toEqual(json)
  })

  it('takes a limit on the cost beside the requests, else that of the config', async () => {
    const { json } = await post(api, { requests: [one('a')], max_cost_usd: 0.5 })
    expect(json.max_cost_usd).toBe(0.5)
    expect((await post(api, { requests: [one('a')], max_cost_usd: -1 })).status).toBe(400)
    await using limited = await open({ batches: { max_cost_usd: 7 } })
    expect((await post(limited, { requests: [one('a')] })).json.max_cost_usd).toBe(7)
  })

  it('refuses a limit on the cost where a request may be answered without a price, before or after the requests', async () => {
    const unpriced = { custom_id: 'b', params: { ...one('b').params, model: 'meta/llama' } }
    for (const text of [
      JSON.stringify({ requests: [one('a'), unpriced], max_cost_usd: 0.5 }),
      JSON.stringify({ max_cost_usd: 0.5, requests: [one('a'), unpriced] }),
    ]) {
      const { status, json } = await post(api, text)
      expect([status, json.error.details.error_code]).toEqual([400, 'price_unknown'])
      expect(json.error.message).toContain('openai/meta/llama')
    }
    expect((await post(api, { requests: [one('a'), unpriced] })).status).toBe(200)
  })

  it('keeps the requests as they are, a line each, and the version they came with', async () => {
    const text = '{"requests": [{"custom_id":"a","params":{"n":12345678901234567890, "s":"\\u00e4"}}\n]}'
    const { json } = await post(api, text, { 'anthropic-version': '2026-10-21' })
    const batch = (await api.parts.batches.read(json.id))!
    expect(batch).toMatchObject({ apiVersion: '2026-10-21', total: 1, tenant: 'default' })
    let kept = ''
    for await (const chunk of api.parts.blobs.read(batch.input[0]!.key)) kept += Buffer.from(chunk).toString()
    expect(kept).toBe('{"custom_id":"a","params":{"n":12345678901234567890, "s":"\\u00e4"}}\n')
  })

  /** `named` is what the message tells of. */
  type Refusal = readonly [name: string, body: unknown, named: string, code?: string, isTooLarge?: boolean]

  const bad = (id: unknown) => ({ requests: [one('a'), { custom_id: id, params }] })
  const beside = (more: object) => ({ requests: [one('a')], ...more })
  const tooLarge = ['body_too_large', true] as const

  const refusals: readonly Refusal[] = [
    ['no requests', { requests: [] }, 'requests'],
    ['a document without requests', {}, 'requests'],
    ['requests that are no list', { requests: 'a' }, 'requests'],
    ['a request that is none', { requests: [1] }, 'requests.0'],
    ['too many requests', { requests: many(maxRequests + 1) }, 'requests'],
    ['an empty custom_id', bad(''), 'requests.1.custom_id'],
    ['a long custom_id', bad('x'.repeat(65)), 'requests.1.custom_id'],
    ['a custom_id with a space', bad('a b'), 'requests.1.custom_id'],
    ['a custom_id with a dot', bad('a.b'), 'requests.1.custom_id'],
    ['a custom_id that is a number', bad(7), 'requests.1.custom_id'],
    ['no custom_id', { requests: [{ params }] }, 'requests.0.custom_id'],
    ['no params', { requests: [{ custom_id: 'a' }] }, 'requests.0.params'],
    ['a custom_id twice', { requests: [one('a'), one('b'), one('a')] }, 'requests.2.custom_id'],
    ['a field of no request', { requests: [{ ...one('a'), method: 'POST' }] }, 'requests.0.method'],
    ['a field of no batch', beside({ metadata: {} }), 'metadata'],
    ['a document that is a list', [one('a')], 'JSON object'],
    ['a short window', beside({ completion_window: '59s' }), 'completion_window', 'invalid_value'],
    ['a long window', beside({ completion_window: '8d' }), 'completion_window', 'invalid_value'],
    ['a window that is a number', beside({ completion_window: 24 }), 'completion_window', 'invalid_value'],
    [
      'a webhook without a secret',
      beside({ webhook: { url: 'https://192.0.1.1' } }),
      'secret',
      'webhook_secret_missing',
    ],
    ['a webhook that is a text', beside({ webhook: 'https://192.0.1.1' }), 'webhook', 'invalid_value'],
    [
      'a webhook into a private network',
      beside({ webhook: { url: 'https://192.168.0.1', secret: `whsec_${'a'.repeat(32)}` } }),
      'private address',
      'webhook_address_forbidden',
    ],
    ['a document that is cut', '{"requests":[{"custom_id":"a","params":{', 'too early', 'invalid_json'],
    [
      'a document after another',
      '{"requests":[{"custom_id":"a","params":{}}]}{}',
      'after its end',
      'invalid_json',
    ],
    ['no JSON', 'requests', 'at byte 0', 'invalid_json'],
    ['an empty body', '', 'too early', 'invalid_json'],
    ['a body that is too large', 'x'.repeat(maxBytes + 1), `${maxBytes} bytes`, ...tooLarge],
    [
      'a request that is too large',
      { requests: [one('a', { user: 'x'.repeat(200_000) })] },
      'requests.0',
      ...tooLarge,
    ],
  ]

  describe('a refusal', () => {
    it.each(refusals.map(([name, ...rest]) => ({ name, rest })))('of $name', async ({ rest }) => {
      const [body, named, code = 'invalid_request', isTooLarge = false] = rest
      await using own = await open()
      const answer = await post(own, body)
      expect({ status: answer.status, ...answer.json }).toEqual({
        status: isTooLarge ? 413 : 400,
        type: 'error',
        error: {
          type: isTooLarge ? 'request_too_large' : 'invalid_request_error',
          message: expect.stringContaining(named),
          details: { error_code: code },
        },
        request_id: answer.headers.get('request-id'),
      })
      expect(await remains(own)).toEqual([])
    })

    it('of a body without its length that is too large', async () => {
      const rows = Array.from({ length: 40 }, (_, i) =>
        JSON.stringify(one(`${i}`, { user: 'x'.repeat(50_000) })),
      )
      const pieces = ['{"requests":[', ...rows.map((row, i) => (i === 0 ? row : `,${row}`)), ']}']
      const body = ReadableStream.from(pieces.map(piece => Buffer.from(piece)))
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(api.url + path, { method: 'POST', headers, body, duplex: 'half' })
      expect(answer.status).toBe(413)
      expect(await answer.json()).toMatchObject({ error: { type: 'request_too_large' } })
    })

    it('of another type, and of nothing at all', async () => {
      for (const type of ['text/html', 'application/jsonl', 'multipart/form-data; boundary=x']) {
        const { status, json } = await post(api, '{}', { 'content-type': type })
        expect([status, json.error.details.error_code]).toEqual([415, 'unsupported_media_type'])
      }
      expect((await call(api, 'POST', path)).status).toBe(415)
    })

    it('is read by a client that sends everything first', async () => {
      await using own = await openTestApi()
      const rest = Buffer.alloc(40_000_000, ' ')
      const headers = { 'content-type': 'application/json' }
      const starts = ['{"requests":[{"custom_id":"a b","params":{}}', 'no JSON', '{"requests":[1,']
      for (const start of starts) {
        const ways: Record<string, string | number>[] = [
          { 'content-length': start.length + rest.length },
          { 'transfer-encoding': 'chunked' },
        ]
        for (const way of ways) {
          const body = Buffer.concat([Buffer.from(start), rest])
          const { status, json } = await postBlindly(own, path, body, { ...headers, ...way })
          expect([status, json]).toMatchObject([400, { type: 'error' }])
        }
      }
      await until(async () => (await remains(own)).length === 0)
    })
  })

  it('takes as many requests as are allowed, and no more by default than 100,000', async () => {
    expect((await create(api, { requests: many(maxRequests) })).request_counts.processing).toBe(maxRequests)
    await using own = await openTestApi()
    const document = (count: number) =>
      `{"requests":[${Array.from({ length: count }, (_, i) => `{"custom_id":"${i}","params":{}}`).join()}]}`
    expect((await post(own, document(100_000))).json.request_counts.processing).toBe(100_000)
    expect(await post(own, document(100_001))).toMatchObject({
      status: 400,
      json: { error: { message: 'requests: List should have at most 100000 items' } },
    })
  })

  it('a client that goes in the middle leaves nothing behind', async () => {
    await using own = await openTestApi()
    for (const length of ['content-length: 900000', 'transfer-encoding: chunked']) {
      const socket = connect(Number(new URL(own.url).port), '127.0.0.1')
      socket.on('error', () => undefined)
      socket.write(
        `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n${length}\r\n\r\n`,
      )
      const half = JSON.stringify({ requests: many(3_000) }).slice(0, 300_000)
      socket.write(length.startsWith('t') ? `${half.length.toString(16)}\r\n${half}` : half)
      await until(async () => {
        const all = await remains(own)
        return all.some(name => name.startsWith('.tmp/')) && all.some(name => name.endsWith(':purge'))
      })
      socket.destroy()
      await until(async () => (await remains(own)).length === 0)
    }
  })

  it('trouble of the blob store is told as such, and leaves nothing', async () => {
    const lose = async (): Promise<never> => {
      throw new BlobStoreError('the disk refused (ENOSPC)', null)
    }
    await using own = await openTestApi({ blobs: disk => ({ ...disk, write: lose }) })
    const answer = await post(own, { requests: many(10) })
    expect([answer.status, answer.json.error.type]).toEqual([503, 'api_error'])
    expect(answer.text).not.toContain('ENOSPC')
    expect(await remains(own)).toEqual([])
  })

  describe('a request that comes again', () => {
    const requests = () => ({ requests: [one(`r-${randomBytes(4).toString('hex')}`)] })
    const blobs = async (): Promise<number> =>
      (await traces(api)).filter(name => name.endsWith('/requests')).length

    it('is found when its client says that it is one', async () => {
      const body = requests()
      const first = await create(api, body)
      const before = await blobs()
      const again = await post(api, body, { 'x-stainless-retry-count': '1' })
      expect(again.json.id).toBe(first.id)
      expect(again.headers.get('idempotent-replayed')).toBe('true')
      expect((await create(api, body, { 'x-stainless-retry-count': '2' })).id).toBe(first.id)
      expect(await blobs()).toBe(before)
    })

    it('is another batch when its client does not, or when it is not the same', async () => {
      const body = requests()
      const ids = [
        await create(api, body),
        await create(api, body, { 'x-stainless-retry-count': '0' }),
        await create(api, requests(), { 'x-stainless-retry-count': '1' }),
        await create(api, body, { 'x-stainless-retry-count': '1', 'anthropic-version': '2023-06-01' }),
        await create(api, { ...body, completion_window: '1h' }, { 'x-stainless-retry-count': '1' }),
      ].map(({ id }) => id)
      expect(new Set(ids).size).toBe(ids.length)
    })

    it('is found by its key', async () => {
      const body = requests()
      const key = { 'idempotency-key': 'night-1' }
      const first = await create(api, body, key)
      expect((await create(api, body, key)).id).toBe(first.id)
      expect((await create(api, body, { 'idempotency-key': 'night-2' })).id).not.toBe(first.id)
      const refused = await post(api, body, { 'idempotency-key': 'a b' })
      expect(refused.json.error).toMatchObject({ details: { error_code: 'invalid_request' } })
    })
  })

  it('takes a window and a webhook beside the requests', async () => {
    const webhook = { url: 'http://10.0.0.1/hook', secret: `whsec_${'a'.repeat(32)}` }
    const { id, created_at, expires_at, ...rest } = await create(api, {
      completion_window: '90m',
      requests: [one('a')],
      webhook,
    })
    expect(Date.parse(expires_at) - Date.parse(created_at)).toBe(90 * 60_000)
    expect(rest.webhook).toEqual({ url: webhook.url, status: 'pending', attempts: 0 })
    expect(await api.parts.batches.read(id)).toMatchObject({ webhook, completionWindow: '90m' })
  })
})
