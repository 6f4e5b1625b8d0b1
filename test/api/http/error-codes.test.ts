import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ErrorCode, errorCodes } from '../../../src/domain/errors.ts'
import { createKeys } from '../../../src/redis/keys.ts'
import { type Answer, call, chat, endJob, openTestApi, submitJob, type TestApi } from '../test-api.ts'

const lines: string[] = []
let api: TestApi
beforeAll(async () => {
  api = await openTestApi({
    log: pino({ level: 'debug' }, { write: line => lines.push(line) }),
    config: { api_keys: [{ key: 'right', role: 'operator' }], server: { max_body_bytes: 20_000 } },
  })
})
afterAll(() => api[Symbol.asyncDispose]())

const headers = { authorization: 'Bearer right' }
const post = (body: unknown, more: Record<string, string> = {}): Promise<Answer> =>
  call(api, 'POST', '/v1/jobs', { body, headers: { ...headers, ...more } })
const get = (path: string): Promise<Answer> => call(api, 'GET', path, { headers })
const act = (path: string): Promise<Answer> => call(api, 'POST', path, { headers })
const submit = async (): Promise<string> => (await submitJob(api, {}, { headers })).id
const webhook = (url: string, secret = `whsec_${'A'.repeat(32)}`) => ({
  body: chat(),
  webhook: { url, secret },
})
const unknownJob = `job_${'0'.repeat(26)}`

type Case = readonly [code: ErrorCode, param: string | null, request: () => Promise<Answer>]

const cases: readonly Case[] = [
  ['invalid_json', null, () => post('{"body":')],
  ['invalid_json', null, () => post('')],
  ['invalid_json', null, () => post('{"body":{"model":"gpt-4"},"__proto__":{"priority":"high"}}')],
  ['invalid_request', null, () => call(api, 'POST', '/v1/jobs', { headers })],
  ['invalid_request', null, () => post('[]')],
  ['invalid_request', 'body', () => post({})],
  ['invalid_request', 'body', () => post({ body: 'text' })],
  ['invalid_request', 'body.model', () => post({ body: { messages: [] } })],
  ['invalid_request', 'body.model', () => post({ body: { model: 4 } })],
  ['invalid_request', 'webhok', () => post({ body: chat(), webhok: {} })],
  ['invalid_request', 'webhook.url', () => post({ body: chat(), webhook: {} })],
  ['invalid_request', 'webhook.uri', () => post({ body: chat(), webhook: { url: 'https://a.b', uri: 1 } })],
  ['invalid_request', 'webhook.secret', () => post(webhook('https://192.0.1.1', 'whsec_short'))],
  ['invalid_request', 'metadata.k', () => post({ body: chat(), metadata: { k: 'v'.repeat(513) } })],
  ['invalid_request', 'metadata.k', () => post({ body: chat(), metadata: { k: 1 } })],
  [
    'invalid_request',
    'metadata',
    () =>
      post({ body: chat(), metadata: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [i, 'v'])) }),
  ],
  ['invalid_request', 'priority', () => post({ body: chat(), priority: 'urgent' })],
  ['invalid_request', 'Idempotency-Key', () => post({ body: chat() }, { 'idempotency-key': 'a b' })],
  [
    'invalid_request',
    'Idempotency-Key',
    () => post({ body: chat() }, { 'idempotency-key': 'k'.repeat(256) }),
  ],
  ['invalid_request', 'limit', () => get('/v1/jobs?limit=101')],
  ['invalid_request', 'status', () => get('/v1/jobs?status=done')],
  ['invalid_request', 'order', () => get('/v1/jobs?order=asc')],
  ['invalid_request', '__proto__', () => get('/v1/jobs?__proto__=x')],
  ['invalid_request', 'constructor', () => post({ body: chat(), constructor: {} })],
  ['unknown_endpoint', 'endpoint', () => post({ endpoint: '/v1/images', body: chat() })],
  [
    'unknown_endpoint',
    'endpoint',
    () => post({ endpoint: '/v1/embeddings', body: { model: 'claude', input: '' } }),
  ],
  ['unknown_model', 'model', () => post({ body: { ...chat(), model: 'gpt-5' } })],
  ['unknown_model', 'model', () => get('/v1/models/gpt-5')],
  ['unsupported_parameter', 'n', () => post({ body: { ...chat(), model: 'claude', n: 3 } })],
  [
    'no_capable_target',
    'model',
    () =>
      post({ body: { ...chat(), model: 'meta/llama', messages: [{ content: [{ type: 'image_url' }] }] } }),
  ],
  ['invalid_request', 'body.messages', () => post({ body: { model: 'gpt-4' } })],
  ['invalid_request', 'body.input', () => post({ endpoint: '/v1/embeddings', body: { model: 'gpt-4' } })],
  [
    'previous_response_not_found',
    'previous_response_id',
    () =>
      post({
        endpoint: '/v1/responses',
        body: { model: 'gpt-4', input: 'hi', previous_response_id: `resp_${'0'.repeat(26)}` },
      }),
  ],
  [
    'background_unsupported',
    'body.background',
    () => post({ endpoint: '/v1/responses', body: { model: 'gpt-4', input: 'hi', background: true } }),
  ],
  [
    'streaming_unsupported',
    'body.stream',
    () => post({ endpoint: '/v1/embeddings', body: { model: 'gpt-4', input: 'hi', stream: true } }),
  ],
  ['invalid_webhook_url', 'webhook.url', () => post(webhook('ftp://192.0.1.1'))],
  ['invalid_webhook_url', 'webhook.url', () => post(webhook('http://192.0.1.1'))],
  ['webhook_address_forbidden', 'webhook.url', () => post(webhook('https://169.254.169.254'))],
  [
    'webhook_secret_missing',
    'webhook.secret',
    () => post({ body: chat(), webhook: { url: 'https://192.0.1.1' } }),
  ],
  ['invalid_request', 'metadata.k', () => post({ body: chat(), metadata: { k: 'a\ud800' } })],
  ['invalid_request', 'metadata.\udfff', () => post({ body: chat(), metadata: { '\udfff': 'v' } })],
  ['unknown_model', 'model', () => post({ body: { ...chat(), model: '\ud800' } })],
  ['invalid_window', 'completion_window', () => post({ body: chat(), completion_window: '59s' })],
  ['invalid_window', 'completion_window', () => post({ body: chat(), completion_window: '8d' })],
  ['invalid_window', 'completion_window', () => post({ body: chat(), completion_window: 'soon' })],
  ['invalid_window', 'completion_window', () => post({ body: chat(), completion_window: 24 })],
  ['invalid_cursor', 'cursor', () => get('/v1/jobs?cursor=x')],
  ['content_hidden', null, async () => get(`/v1/jobs/${await submit()}/content`)],
  [
    'idempotency_key_reused',
    'Idempotency-Key',
    async () => {
      await post({ body: chat('one') }, { 'idempotency-key': 'reused' })
      return post({ body: chat('two') }, { 'idempotency-key': 'reused' })
    },
  ],
  ['invalid_api_key', null, () => call(api, 'GET', '/v1/jobs')],
  ['job_not_found', 'id', () => get(`/v1/jobs/${unknownJob}`)],
  ['job_not_found', 'id', () => get('/v1/jobs/nonsense')],
  ['stream_not_found', 'id', async () => get(`/v1/jobs/${await submit()}/stream`)],
  ['response_not_found', 'id', () => get('/v1/responses/resp_1')],
  ['job_not_found', 'id', () => act(`/v1/jobs/${unknownJob}/cancel`)],
  ['job_not_found', 'id', () => act(`/v1/jobs/${unknownJob}/retry`)],
  ['delivery_not_found', 'id', () => act(`/v1/dead-letters/${unknownJob}/redeliver`)],
  ['delivery_not_found', 'id', async () => act(`/v1/dead-letters/${await submit()}/redeliver`)],
  ['provider_not_found', 'name', () => act('/v1/providers/nobody/pause')],
  ['mirror_not_found', 'route', () => get('/v1/mirrors/gpt-4/pairs')],
  ['not_found', null, () => get('/v1/nonsense')],
  ['not_found', null, () => call(api, 'POST', '/nonsense', { body: 'not json' })],
  ['method_not_allowed', null, () => call(api, 'DELETE', '/v1/jobs', { headers })],
  [
    'job_finished',
    null,
    async () => {
      const id = await submit()
      await endJob(api, id)
      return act(`/v1/jobs/${id}/cancel`)
    },
  ],
  ['job_not_retryable', null, async () => act(`/v1/jobs/${await submit()}/retry`)],
  ['body_too_large', null, () => post({ body: chat('x'.repeat(20_000)) })],
  ['invalid_json', null, () => post('body=1', { 'content-type': 'application/x-www-form-urlencoded' })],
  ['invalid_json', null, () => post('hello', { 'content-type': 'text/plain' })],
  ['unsupported_media_type', null, () => post('hello', { 'content-type': 'text/html' })],
  ['unsupported_encoding', null, () => post('hello', { 'content-encoding': 'compress' })],
  ['invalid_encoding', null, () => post('hello', { 'content-encoding': 'gzip' })],
  ['internal_error', null, readBrokenRecord],
]

/** A record that cannot be read: a fault of ours, whatever made it. */
async function readBrokenRecord(): Promise<Answer> {
  const id = await submit()
  await api.redis.hset(createKeys(api.prefix).record(id), 'attempts', '"a prompt')
  return get(`/v1/jobs/${id}`)
}

/** Codes that need more than a request to the shared server, with the file that has them. */
const elsewhere: Partial<Record<ErrorCode, string>> = {
  too_many_sign_ins: 'ui/session.test.ts',
  config_refused: '../reload/reload.test.ts',
  invalid_multipart: 'file-refusals.test.ts',
  empty_file: 'file-refusals.test.ts',
  file_not_found: 'files.test.ts',
  file_too_large: 'file-refusals.test.ts',
  range_not_satisfiable: 'files.test.ts',
  storage_unavailable: 'file-refusals.test.ts',
  upload_not_found: 'uploads.test.ts',
  upload_closed: 'uploads.test.ts',
  upload_incomplete: 'uploads.test.ts',
  upload_size_exceeded: 'uploads.test.ts',
  checksum_mismatch: 'uploads.test.ts',
  price_unknown: 'message-batches.test.ts',
  deadline_unreachable: 'batches/deadlines.test.ts',
  storage_quota_exceeded: 'quotas.test.ts',
  too_many_open_batches: 'quotas.test.ts',
  batch_not_ended: 'message-batch-life.test.ts',
  results_not_found: 'message-batch-life.test.ts',
  count_tokens_unsupported: 'count-tokens.test.ts',
  missing_required_parameter: 'batches.test.ts',
  unknown_parameter: 'batches.test.ts',
  invalid_value: 'batches.test.ts',
  batch_not_found: 'batches.test.ts',
  batch_finished: 'batch-replay.test.ts',
  batch_not_retryable: 'batch-retry.test.ts',
  headers_too_large: 'malformed-http.test.ts',
  request_timeout: 'malformed-http.test.ts',
  redis_unavailable: 'redis-outage.test.ts',
  storage_full: '../faults/redis-full.test.ts',
  not_replicated: '../faults/redis-replicas.test.ts',
  shutting_down: 'closing.test.ts',
  too_many_bytes: 'room.test.ts',
  too_many_waiting: 'room.test.ts',
  too_many_pages: 'operator/events.test.ts',
  count_changed: 'operator/receivers.test.ts',
  too_many_connections: 'room.test.ts',
  cross_site_forbidden: 'cross-site.test.ts',
  host_forbidden: 'own-host.test.ts',
  permission_denied: 'roles.test.ts',
  endpoint_retired: 'body-types.test.ts',
}

describe('error codes of the API', () => {
  describe.each(cases.map(([code, param, request], i) => ({ code, param, request, i })))(
    '$i: $code',
    ({ code, param, request }) => {
      it(`answers ${errorCodes[code].status} with param ${param}`, async () => {
        const answer = await request()
        expect({ status: answer.status, ...answer.json.error }).toEqual({
          status: errorCodes[code].status,
          code,
          param,
          type: expect.stringMatching(/^(invalid_request|authentication|server)_error$/),
          message: expect.stringMatching(/\.$/),
        })
        expect(answer.headers.get('x-should-retry')).toBe(answer.status === 409 ? 'false' : null)
      })
    },
  )

  it('every documented code has a case', () => {
    const covered = [...cases.map(([code]) => code), ...Object.keys(elsewhere)]
    expect(new Set(covered)).toEqual(new Set(Object.keys(errorCodes)))
  })

  it('says which field is at fault and what to do', async () => {
    const messages = [
      { body: chat(), webhok: {} },
      { body: chat(), webhook: {} },
      { body: chat(), webhook: { url: 5 } },
    ].map(async body => (await post(body)).json.error.message)
    expect(await Promise.all(messages)).toEqual([
      "'webhok' is not a field of this request; leave it out.",
      "'webhook.url' is missing.",
      "'webhook.url': Invalid input: expected string, received number.",
    ])
  })

  it('names the methods that a path takes', async () => {
    const answer = await call(api, 'PUT', `/v1/jobs/${unknownJob}/cancel?x=1`, { headers })
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST'])
  })

  it('tells nothing but code, a constant message and the request id of a fault of its own', async () => {
    const answer = await readBrokenRecord()
    expect(answer.json).toEqual({
      error: {
        message: errorCodes.internal_error.help,
        type: 'server_error',
        param: null,
        code: 'internal_error',
      },
      request_id: answer.headers.get('x-request-id'),
    })
    const logged = lines.filter(line => line.includes(answer.json.request_id)).join('')
    expect(logged).toContain('SyntaxError')
    expect(lines.join('')).not.toContain('a prompt')
  })
})
