import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { jobOfResponse } from '../../src/redis/keys.ts'
import { row } from '../api/anthropic-clients.ts'
import { call } from '../api/test-api.ts'
import { answering } from '../contract/providers/recording-upstream.ts'
import { type BatonApi, openBaton } from '../support/open-baton.ts'
import { answers, openVendor, unavailable, type Vendor } from '../support/vendors.ts'

let first: Vendor
let second: Vendor
let claude: Vendor
let baton: BatonApi
let api: { readonly url: string }
let made = 0

/** Gives each response an id of its own, as OpenAI does; other requests get an answer in their format. */
const asOpenAi: Parameters<Vendor['answers']>[0] = (request, response) =>
  answering(200, request.url === '/v1/responses' ? answers.response(`resp_${++made}`) : answers.chat)(
    request,
    response,
  )

beforeAll(async () => {
  first = await openVendor(asOpenAi)
  second = await openVendor(asOpenAi)
  claude = await openVendor(answering(200, answers.message))
  const common = { retries: 0, breaker: { min_calls: 10_000 } }
  const keys = (name: string) => ['1', '2', '3', '4', '5'].map(number => `${name}-${number}`)
  baton = await openBaton({
    level: 'api',
    batches: true,
    config: {
      providers: {
        first: { ...common, type: 'openai', base_url: `${first.url}/v1`, api_keys: keys('first') },
        second: { ...common, type: 'openai', base_url: `${second.url}/v1`, api_keys: keys('second') },
        claude: { ...common, type: 'anthropic', base_url: claude.url, api_keys: keys('claude') },
      },
      models: {
        gpt: { provider: 'first', fallback_to: ['gpt-second', 'claude'] },
        'gpt-second': { provider: 'second', upstream_model: 'gpt' },
        'gpt-first': { provider: 'first', upstream_model: 'gpt' },
        claude: { provider: 'claude', fallback_to: 'gpt-first' },
        shared: {
          provider: 'first',
          upstream_model: 'gpt',
          fallback_to: 'gpt-second',
          strategy: 'weighted',
        },
      },
    },
  })
  api = { url: baton.url }
})
afterAll(async () => {
  await baton.stop()
  await Promise.all([first.close(), second.close(), claude.close()])
})
beforeEach(() => {
  for (const vendor of [first, second]) vendor.answers(asOpenAi)
  for (const vendor of [first, second, claude]) vendor.forget()
})

const respond = (model: string, more: object = {}) =>
  call(api, 'POST', '/v1/responses', { body: { model, input: 'hi', ...more } })
const keysAt = (vendor: Vendor) =>
  vendor.arrivals.map(({ headers }) => headers.authorization ?? headers['x-api-key'])

describe('a response that is gone on from', () => {
  it('is asked for at the provider and with the key that made it', async () => {
    first.answers(unavailable)
    const { json } = await respond('gpt')
    first.answers(asOpenAi)
    const [key] = keysAt(second)
    first.forget()
    let previous = json.id
    for (let turn = 0; turn < 4; turn++)
      previous = (await respond('gpt', { previous_response_id: previous })).json.id
    expect(keysAt(second)).toEqual([key, key, key, key, key])
    expect(first.arrivals).toEqual([])
  })

  it('is found along any route and strategy that leads there', async () => {
    const { json } = await respond('gpt-second')
    second.forget()
    for (let i = 0; i < 6; i++) await respond('shared', { previous_response_id: json.id, user: `${i}` })
    expect([first.arrivals.length, second.arrivals.length]).toEqual([0, 6])
    expect(new Set(keysAt(second)).size).toBe(1)
  })

  it('is waited for while its provider is away, and never asked for elsewhere', async () => {
    const { json } = await respond('gpt')
    first.answers(unavailable)
    const body = { model: 'gpt', input: 'and?', previous_response_id: json.id }
    const job = await call(api, 'POST', '/v1/jobs', { body: { endpoint: '/v1/responses', body } })
    await until(async () => (await baton.context.store.read(job.json.id))?.status === 'parked')
    expect(second.arrivals).toEqual([])
    first.answers(asOpenAi)
    expect((await baton.ended(job.json.id)).status).toBe('succeeded')
    expect(second.arrivals).toEqual([])
  })

  it('may have been made in the background, under an id of ours', async () => {
    first.answers(unavailable)
    const { json } = await respond('gpt', { background: true })
    const done = await baton.ended(jobOfResponse(json.id))
    const { id } = JSON.parse(done.response!.body)
    first.answers(asOpenAi)
    const [key] = keysAt(second)
    for (const vendor of [first, second]) vendor.forget()
    for (const background of [false, true]) {
      const next = await respond('gpt', { background, previous_response_id: json.id })
      expect(next.status).toBe(200)
      if (background) await baton.ended(jobOfResponse(next.json.id))
    }
    expect(first.arrivals).toEqual([])
    expect(keysAt(second)).toEqual([key, key])
    expect(second.arrivals.map(({ text }) => JSON.parse(text).previous_response_id)).toEqual([id, id])
  })

  it('is refused where it has no answer, or nobody keeps it', async () => {
    const previous = async (id: string) => (await respond('gpt', { previous_response_id: id })).json.error
    for (const vendor of [first, second]) vendor.answers(unavailable)
    const { json } = await respond('gpt', { background: true })
    const byClaude = await baton.ended(jobOfResponse(json.id))
    expect(byClaude.attempts.at(-1)).toMatchObject({ provider: 'claude', verdict: 'ok' })
    const param = 'previous_response_id'
    expect(await previous(json.id)).toMatchObject({ code: 'unsupported_parameter', param })
    first.answers(answering(400, { error: { type: 'invalid_request_error', message: 'no' } }))
    const failed = (await respond('gpt-first', { background: true })).json.id
    expect((await baton.ended(jobOfResponse(failed))).status).toBe('failed')
    expect(await previous(failed)).toMatchObject({ code: 'previous_response_not_found', param })
  })

  it('is refused where no target is at its provider', async () => {
    const { json } = await respond('gpt-second')
    const refused = await respond('gpt-first', { previous_response_id: json.id })
    expect([refused.status, refused.json.error]).toEqual([
      400,
      expect.objectContaining({
        code: 'unsupported_parameter',
        param: 'previous_response_id',
        message: expect.stringContaining("'second'"),
      }),
    ])
  })
})

describe('state of unknown origin', () => {
  it.each([
    ['previous_response_id', { previous_response_id: 'resp_elsewhere' }],
    ['conversation', { conversation: 'conv_1' }],
    ['conversation as an object', { conversation: { id: 'conv_2' } }],
    ['a stored prompt', { prompt: { id: 'pmpt_1' } }],
    ['a file', { input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'file-1' }] }] }],
    ['an image', { input: [{ role: 'user', content: [{ type: 'input_image', file_id: 'file-2' }] }] }],
    ['an item', { input: [{ type: 'item_reference', id: 'msg_9' }] }],
    ['a vector store', { tools: [{ type: 'file_search', vector_store_ids: ['vs_1'] }] }],
    ['a container', { tools: [{ type: 'code_interpreter', container: 'cntr_1' }] }],
  ])('is asked for with the same key always: %s', async (_, more) => {
    for (let i = 0; i < 4; i++) expect((await respond('shared', { ...more, user: `${i}` })).status).toBe(200)
    expect([first.arrivals.length, second.arrivals.length]).toEqual([4, 0])
    expect(new Set(keysAt(first)).size).toBe(1)
  })

  it('is kept from providers of another format', async () => {
    const content = [
      { type: 'text', text: 'read' },
      { type: 'document', source: { type: 'file', file_id: 'file_claude' } },
    ]
    const body = { model: 'claude', max_tokens: 9, messages: [{ role: 'user', content }] }
    for (let i = 0; i < 3; i++) await call(api, 'POST', '/v1/messages', { body })
    expect(new Set(keysAt(claude)).size).toBe(1)
    claude.answers(answering(503, { type: 'error', error: { type: 'api_error', message: 'away' } }))
    const headers = { 'x-baton-timeout': '1' }
    expect((await call(api, 'POST', '/v1/messages', { body, headers })).status).not.toBe(200)
    claude.answers(answering(200, answers.message))
    expect(first.arrivals).toEqual([])
  })

  it('is asked for with one key by all lines of a batch', async () => {
    const requests = Array.from({ length: 4 }, (_, i) => row(`r${i}`, 'claude', { container: 'container_1' }))
    const { json } = await call(api, 'POST', '/v1/messages/batches', { body: { requests } })
    await until(
      async () =>
        (await call(api, 'GET', `/v1/messages/batches/${json.id}`)).json.processing_status === 'ended',
    )
    expect(keysAt(claude)).toHaveLength(4)
    expect(new Set(keysAt(claude)).size).toBe(1)
  })

  it('is nothing that a tool was called with, or that stands in a text', async () => {
    const content = [
      { type: 'tool_use', id: 'toolu_1', name: 'read', input: { file_id: 'mine' } },
      { type: 'text', text: '{"type":"input_file","file_id":"file-1"}' },
    ]
    const messages = [{ role: 'assistant', content }]
    const body = { model: 'claude', max_tokens: 9, messages }
    for (let i = 0; i < 5; i++) await call(api, 'POST', '/v1/messages', { body })
    expect(new Set(keysAt(claude)).size).toBe(5)
  })
})
