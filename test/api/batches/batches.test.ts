import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ErrorCode } from '../../../src/domain/errors.ts'
import { field, file, postForm } from '../forms.ts'
import { type Answer, call, type Json, openTestApi, type TestApi } from '../test-api.ts'

let api: TestApi
let inputFileId: string
let foreignFileId: string
beforeAll(async () => {
  api = await openTestApi({ config: { api_keys: ['right', { key: 'other', tenant: 'theirs' }] } })
  inputFileId = await upload('right')
  foreignFileId = await upload('other')
})
afterAll(() => api[Symbol.asyncDispose]())

const as = (key: string) => ({ authorization: `Bearer ${key}` })
const headers = as('right')
const upload = async (key: string, purpose = 'batch'): Promise<string> => {
  const parts = [file('{"custom_id":"a"}\n'), field('purpose', purpose)]
  return (await postForm(api, '/v1/files', parts, { headers: as(key) })).json.id
}
const order = (more: object = {}) => ({
  input_file_id: inputFileId,
  endpoint: '/v1/chat/completions',
  completion_window: '24h',
  ...more,
})
const create = (body: unknown = order(), more: Record<string, string> = {}): Promise<Answer> =>
  call(api, 'POST', '/v1/batches', { body, headers: { ...headers, ...more } })
const get = (path: string, key = 'right'): Promise<Answer> => call(api, 'GET', path, { headers: as(key) })
const post = (path: string, key = 'right'): Promise<Answer> => call(api, 'POST', path, { headers: as(key) })
const without = (name: string): object =>
  Object.fromEntries(Object.entries(order()).filter(([key]) => key !== name))
const pairs = (count: number): object => Object.fromEntries(Array.from({ length: count }, (_, i) => [i, 'v']))
const unknownId = `batch_${'0'.repeat(26)}`
const unknownFile = `file-${'0'.repeat(26)}`
const secret = `whsec_${'A'.repeat(32)}`

type Case = readonly [code: ErrorCode, param: string | null, status: number, request: () => Promise<Answer>]
const bad = (param: string, more: object): Case => ['invalid_value', param, 400, () => create(order(more))]
const missing = (name: string): Case => ['missing_required_parameter', name, 400, () => create(without(name))]

const cases: readonly Case[] = [
  missing('input_file_id'),
  missing('endpoint'),
  missing('completion_window'),
  ['missing_required_parameter', 'webhook.url', 400, () => create(order({ webhook: { secret } }))],
  [
    'missing_required_parameter',
    'output_expires_after.seconds',
    400,
    () => create(order({ output_expires_after: { anchor: 'created_at' } })),
  ],
  ['unknown_parameter', 'completionWindow', 400, () => create(order({ completionWindow: '24h' }))],
  [
    'unknown_parameter',
    'webhook.uri',
    400,
    () => create(order({ webhook: { url: 'https://a.b', secret, uri: 1 } })),
  ],
  bad('input_file_id', { input_file_id: 7 }),
  bad('endpoint', { endpoint: '/v1/moderations' }),
  bad('endpoint', { endpoint: '/v1/images/generations' }),
  bad('endpoint', { endpoint: '/v1/messages' }),
  bad('endpoint', { endpoint: null }),
  bad('completion_window', { completion_window: '59s' }),
  bad('completion_window', { completion_window: '8d' }),
  bad('completion_window', { completion_window: 'soon' }),
  bad('completion_window', { completion_window: '00000000024h' }),
  bad('completion_window', { completion_window: 24 }),
  bad('metadata', { metadata: pairs(17) }),
  bad('metadata', { metadata: { ['k'.repeat(65)]: 'v' } }),
  bad('metadata', { metadata: { k: 'v'.repeat(513) } }),
  bad('metadata', { metadata: { k: 1 } }),
  bad('metadata', { metadata: 'text' }),
  bad('output_expires_after.anchor', { output_expires_after: { anchor: 'now', seconds: 3_600 } }),
  bad('output_expires_after.seconds', { output_expires_after: { anchor: 'created_at', seconds: 3_599 } }),
  bad('output_expires_after.seconds', { output_expires_after: { anchor: 'created_at', seconds: 2_592_001 } }),
  bad('webhook.secret', { webhook: { url: 'https://192.0.1.1', secret: 'whsec_short' } }),
  bad('metadata', { metadata: { k: '\ud800' } }),
  bad('metadata', { metadata: { '\udfff': 'v' } }),
  bad('max_cost_usd', { max_cost_usd: 0 }),
  bad('max_cost_usd', { max_cost_usd: '5' }),
  [
    'invalid_value',
    'input_file_id',
    400,
    async () => create(order({ input_file_id: await upload('right', 'user_data') })),
  ],
  ['file_not_found', 'input_file_id', 404, () => create(order({ input_file_id: unknownFile }))],
  ['file_not_found', 'input_file_id', 404, () => create(order({ input_file_id: 'nonsense' }))],
  ['file_not_found', 'input_file_id', 404, () => create(order({ input_file_id: foreignFileId }))],
  [
    'invalid_webhook_url',
    'webhook.url',
    400,
    () => create(order({ webhook: { url: 'ftp://192.0.1.1', secret } })),
  ],
  [
    'webhook_address_forbidden',
    'webhook.url',
    400,
    () => create(order({ webhook: { url: 'https://169.254.169.254', secret } })),
  ],
  [
    'webhook_secret_missing',
    'webhook.secret',
    400,
    () => create(order({ webhook: { url: 'https://192.0.1.1' } })),
  ],
  ['invalid_request', null, 400, () => create([])],
  ['invalid_request', null, 400, () => post('/v1/batches')],
  ['invalid_json', null, 400, () => create('{"input_file_id":')],
  ['invalid_json', null, 400, () => create('')],
  ['invalid_request', 'Idempotency-Key', 400, () => create(order(), { 'idempotency-key': 'a b' })],
  ['invalid_value', 'limit', 400, () => get('/v1/batches?limit=101')],
  ['invalid_value', 'limit', 400, () => get('/v1/batches?limit=0')],
  ['invalid_value', 'limit', 400, () => get('/v1/batches?limit=x')],
  ['unknown_parameter', 'order', 400, () => get('/v1/batches?order=asc')],
  ['invalid_cursor', 'after', 400, () => get(`/v1/batches?after=${unknownId}`)],
  ['invalid_cursor', 'after', 400, () => get('/v1/batches?after=nonsense')],
  ['batch_not_found', 'id', 404, () => get(`/v1/batches/${unknownId}`)],
  ['batch_not_found', 'id', 404, () => get('/v1/batches/nonsense')],
  ['batch_not_found', 'id', 404, () => get(`/v1/batches/${unknownId}/content`)],
  ['batch_not_found', 'id', 404, () => post(`/v1/batches/${unknownId}/cancel`)],
  ['batch_not_found', 'id', 404, () => post(`/v1/batches/${unknownId}/retry`)],
  ['invalid_value', 'file', 400, async () => get(`/v1/batches/${await created()}/content?file=both`)],
  ['batch_not_retryable', null, 409, async () => post(`/v1/batches/${await created()}/retry`)],
  ['invalid_api_key', null, 401, () => get('/v1/batches', 'wrong')],
]

const created = async (more: object = {}): Promise<string> => (await create(order(more))).json.id

describe('/v1/batches', () => {
  describe.each(cases.map(([code, param, status, request], i) => ({ code, param, status, request, i })))(
    '$i: $code of $param',
    ({ code, param, status, request }) => {
      it(`answers ${status}`, async () => {
        const answer = await request()
        expect({ status: answer.status, ...answer.json.error }).toEqual({
          status,
          code,
          param,
          type: status === 401 ? 'authentication_error' : 'invalid_request_error',
          message: expect.stringMatching(/.\.$|^No such File object: /),
        })
        expect(answer.headers.get('x-should-retry')).toBe(status === 409 ? 'false' : null)
        expect(answer.headers.get('x-request-id')).toMatch(/^req_/)
      })
    },
  )

  it('says what is missing or wrong, and what may be there', async () => {
    const messages = [
      without('completion_window'),
      order({ completion_window: '30s' }),
      order({ endpoint: '/v1/moderations' }),
      order({ retries: 1 }),
      order({ metadata: pairs(17) }),
    ].map(async body => (await create(body)).json.error.message)
    expect(await Promise.all(messages)).toEqual([
      "Missing required parameter: 'completion_window'; expected a time from 1m to 7d, such as 24h.",
      "Invalid value for 'completion_window': expected a time from 1m to 7d, such as 24h.",
      "Invalid value for 'endpoint': expected one of /v1/chat/completions, /v1/embeddings, /v1/responses, /v1/completions.",
      "Unknown parameter: 'retries'.",
      "Invalid value for 'metadata': expected at most 16 pairs.",
    ])
    expect((await get(`/v1/batches/${unknownId}`)).json.error.message).toBe(
      `No batch found with id '${unknownId}'.`,
    )
  })

  describe('a new batch', () => {
    it('has every key of the object, and what was asked for', async () => {
      const metadata = { job: 'nightly' }
      const { status, json, headers } = await create(
        order({
          metadata,
          completion_window: '90m',
          endpoint: '/v1/responses',
          webhook: { url: 'https://192.0.1.1', secret },
          max_cost_usd: 12.5,
        }),
      )
      expect(status).toBe(200)
      expect(headers.get('idempotent-replayed')).toBeNull()
      const { created_at } = json
      expect(json).toEqual({
        id: expect.stringMatching(/^batch_[0-9a-z]{26}$/),
        object: 'batch',
        endpoint: '/v1/responses',
        model: null,
        errors: null,
        input_file_id: inputFileId,
        completion_window: '90m',
        status: 'validating',
        output_file_id: null,
        error_file_id: null,
        created_at: expect.any(Number),
        in_progress_at: null,
        expires_at: created_at + 5_400,
        finalizing_at: null,
        completed_at: null,
        failed_at: null,
        expired_at: null,
        cancelling_at: null,
        cancelled_at: null,
        request_counts: { total: 0, completed: 0, failed: 0 },
        usage: {
          input_tokens: 0,
          input_tokens_details: { cached_tokens: 0 },
          output_tokens: 0,
          output_tokens_details: { reasoning_tokens: 0 },
          total_tokens: 0,
        },
        metadata,
        providers: {},
        cost_usd: null,
        max_cost_usd: 12.5,
        blocked: null,
        estimated_completion_at: null,
        warning: null,
        retry_of: null,
        webhook: { url: 'https://192.0.1.1', status: 'pending', attempts: 0 },
      })
      expect((await get(`/v1/batches/${json.id}`)).json).toEqual(json)
    })

    it('takes null for what may be left out', async () => {
      const more = { metadata: null, output_expires_after: null, webhook: null }
      expect((await create(order(more))).json).toMatchObject({ metadata: null, webhook: null })
    })

    it('keeps how long its output is to live', async () => {
      const id = await created({ output_expires_after: { anchor: 'created_at', seconds: 3_600 } })
      expect((await api.parts.batches.read(id))!.outputExpiresAfterMs).toBe(3_600_000)
    })

    it('has no output yet, which is not an error', async () => {
      const id = await created()
      for (const query of ['', '?file=output', '?file=errors']) {
        const answer = await get(`/v1/batches/${id}/content${query}`)
        expect([answer.status, answer.text, answer.headers.get('content-type')]).toEqual([
          200,
          '',
          'application/x-jsonl',
        ])
      }
    })
  })

  describe('another tenant', () => {
    it('finds nothing of it', async () => {
      const id = await created()
      const answers = await Promise.all([
        get(`/v1/batches/${id}`, 'other'),
        get(`/v1/batches/${id}/content`, 'other'),
        post(`/v1/batches/${id}/cancel`, 'other'),
        post(`/v1/batches/${id}/retry`, 'other'),
      ])
      expect(answers.map(answer => [answer.status, answer.json.error.code])).toEqual(
        Array(4).fill([404, 'batch_not_found']),
      )
      expect((await get(`/v1/batches/${id}`)).json.status).toBe('validating')
      expect((await get('/v1/batches', 'other')).json).toEqual({
        object: 'list',
        data: [],
        first_id: null,
        last_id: null,
        has_more: false,
      })
      expect((await get(`/v1/batches?after=${id}`, 'other')).json.error.code).toBe('invalid_cursor')
    })
  })

  describe('cancel', () => {
    it.each([
      ['a JSON type and nothing in it', { 'content-type': 'application/json' }],
      ['no type', {}],
    ])('takes %s, and asked again changes nothing', async (_, type) => {
      const id = await created()
      const cancel = () => call(api, 'POST', `/v1/batches/${id}/cancel`, { headers: { ...headers, ...type } })
      const first = await cancel()
      expect(first).toMatchObject({ status: 200, json: { status: 'cancelling', cancelled_at: null } })
      expect(first.json.cancelling_at).toBeGreaterThanOrEqual(first.json.created_at)
      expect((await cancel()).json).toEqual(first.json)
    })
  })

  describe('a list', () => {
    it('is the newest first, page by page', async () => {
      for (let i = 0; i < 4; i++) await created()
      const first = (await get('/v1/batches?limit=2')).json
      expect(first).toMatchObject({ object: 'list', has_more: true })
      const { last_id } = first
      expect([first.first_id, last_id]).toEqual([first.data[0].id, first.data[1].id])
      const second = (await get(`/v1/batches?limit=2&after=${last_id}`)).json
      const seen = [...first.data, ...second.data].map((batch: Json) => batch.id)
      expect(seen).toEqual(seen.toSorted().toReversed())
      expect(new Set(seen).size).toBe(4)
    })
  })
})
