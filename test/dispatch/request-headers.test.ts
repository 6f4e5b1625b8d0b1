import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { row } from '../api/anthropic-clients.ts'
import { desk } from '../api/batch-deployment.ts'
import { call, type Json } from '../api/test-api.ts'
import { answering } from '../contract/providers/recording-upstream.ts'
import { type BatonApi, openBaton } from '../support/open-baton.ts'
import { answers, openVendor, unavailable, type Vendor } from '../support/vendors.ts'

let claude: Vendor
let other: Vendor
let gpt: Vendor
let baton: BatonApi
let api: { readonly url: string }
let config: Record<string, unknown>

beforeAll(async () => {
  claude = await openVendor(answering(200, answers.message))
  other = await openVendor(answering(200, answers.message))
  gpt = await openVendor(answering(200, answers.chat))
  const common = { api_key: 'k', retries: 0, breaker: { min_calls: 10_000 } }
  config = {
    server: { forward_headers: ['X-Team'] },
    providers: {
      claude: { ...common, type: 'anthropic', base_url: claude.url },
      other: {
        ...common,
        type: 'anthropic',
        base_url: other.url,
        headers: { 'Anthropic-Beta': 'configured-1, shared-2' },
      },
      gpt: { ...common, type: 'openai', base_url: `${gpt.url}/v1` },
    },
    models: {
      claude: { provider: 'claude', fallback_to: 'other' },
      other: { provider: 'other', upstream_model: 'claude' },
      cached: { provider: 'claude', cache: {} },
      'gpt-4': { provider: 'gpt' },
      'gpt-from-claude': { provider: 'gpt' },
    },
  }
  baton = await openBaton({ level: 'api', config, batches: true })
  api = { url: baton.url }
})
afterAll(async () => {
  await baton.stop()
  await Promise.all([claude.close(), other.close(), gpt.close()])
})
beforeEach(() => {
  claude.answers(answering(200, answers.message))
  for (const vendor of [claude, other, gpt]) vendor.forget()
})

const message = { model: 'claude', max_tokens: 9, messages: [{ role: 'user' as const, content: 'hi' }] }
const chat = { model: 'gpt-4', messages: [{ role: 'user' as const, content: 'hi' }] }
const beta = 'context-1m-2025-08-07,  interleaved-thinking-2025-05-14'
const betasAt = (vendor: Vendor) => vendor.arrivals.map(({ headers }) => headers['anthropic-beta'])

describe('headers that belong to a request', () => {
  it('reach a provider of their vendor as they came', async () => {
    const headers = { 'Anthropic-Beta': beta, 'X-TEAM': 'blue\u00e9', 'openai-beta': 'assistants=v2' }
    const answer = await call(api, 'POST', '/v1/messages', { body: message, headers })
    expect(answer.status).toBe(200)
    expect(claude.arrivals[0]!.headers).toMatchObject({ 'anthropic-beta': beta, 'x-team': 'blue\u00e9' })
    expect(claude.arrivals[0]!.headers).not.toHaveProperty('openai-beta')
    expect(claude.arrivals[0]!.text).toBe(JSON.stringify(message))
  })

  it('go to an OpenAI type likewise', async () => {
    const headers = { 'OpenAI-Beta': 'responses=experimental', 'anthropic-beta': beta }
    expect((await call(api, 'POST', '/v1/chat/completions', { body: chat, headers })).status).toBe(200)
    expect(gpt.arrivals[0]!.headers['openai-beta']).toBe('responses=experimental')
    expect(gpt.arrivals[0]!.headers).not.toHaveProperty('anthropic-beta')
  })

  it.each([
    ['authorization', 'Bearer mine'],
    ['x-api-key', 'mine'],
    ['cookie', 'a=b'],
    ['anthropic-version', '2099-01-01'],
    ['x-unlisted', 'v'],
    ['te', 'trailers'],
  ])('do not take %s along', async (name, value) => {
    await call(api, 'POST', '/v1/messages', { body: message, headers: { [name]: value } })
    expect(claude.arrivals[0]!.headers[name]).not.toBe(value)
  })

  it('stay with the job on its way to the next target, where they join the betas of the config', async () => {
    claude.answers(unavailable)
    const answer = await call(api, 'POST', '/v1/messages', {
      body: message,
      headers: { 'anthropic-beta': 'shared-2,client-3', 'x-team': 'red' },
    })
    expect(answer.headers.get('x-baton-provider')).toBe('other')
    expect(betasAt(claude)).toEqual(['shared-2,client-3'])
    expect(other.arrivals[0]!.headers).toMatchObject({
      'anthropic-beta': 'configured-1,shared-2,client-3',
      'x-team': 'red',
    })
  })

  it('come with a native job from the headers of its request, and with its retry', async () => {
    const refusal = { type: 'error', error: { type: 'invalid_request_error', message: 'no' } }
    claude.answers(answering(400, refusal))
    const headers = { 'anthropic-beta': 'one-1' }
    const submitted = await call(api, 'POST', '/v1/jobs', {
      body: { endpoint: '/v1/messages', body: message },
      headers,
    })
    const { status } = await baton.ended(submitted.json.id)
    expect(status).toBe('failed')
    const retried = await call(api, 'POST', `/v1/jobs/${submitted.json.id}/retry`)
    await baton.ended(retried.json.id)
    expect(betasAt(claude)).toEqual(['one-1', 'one-1'])
  })

  it('are in the record of a job that waits while everything is started anew', async () => {
    const first = await openBaton({ level: 'api', config, workers: [] })
    const headers = { 'anthropic-beta': 'waits-1' }
    const body = { endpoint: '/v1/messages', body: message }
    const submitted = await call({ url: first.url }, 'POST', '/v1/jobs', { body, headers })
    await first.stop()
    const second = await openBaton({ level: 'workers', config, prefix: first.prefix })
    await second.ended(submitted.json.id)
    await second.stop()
    expect(betasAt(claude)).toEqual(['waits-1'])
  })

  it('are refused where they are too long for a record', async () => {
    const headers = { 'anthropic-beta': 'b'.repeat(5_000) }
    const answer = await call(api, 'POST', '/v1/messages', { body: message, headers })
    expect([answer.status, answer.json.error.message]).toEqual([
      400,
      expect.stringContaining('anthropic-beta'),
    ])
  })
})

describe('a request with other betas is another request', () => {
  const submit = (betas: string, more: object = {}) =>
    call(api, 'POST', '/v1/jobs', {
      body: { endpoint: '/v1/messages', body: message },
      headers: { 'anthropic-beta': betas, ...more },
    })

  it('to an idempotency key', async () => {
    const key = { 'idempotency-key': 'betas' }
    const first = await submit('one-1,two-2', key)
    const same = await submit('two-2, one-1', key)
    expect([same.status, same.json.id]).toEqual([202, first.json.id])
    const otherBetas = await submit('one-1', key)
    expect([otherBetas.status, otherBetas.json.error.code]).toEqual([422, 'idempotency_key_reused'])
    await baton.ended(first.json.id)
  })

  it('to the cache', async () => {
    const isHit = async (betas: string): Promise<boolean> => {
      const body = { ...message, model: 'cached' }
      const answer = await call(api, 'POST', '/v1/messages', { body, headers: { 'anthropic-beta': betas } })
      return answer.headers.get('x-baton-cache') === 'hit'
    }
    expect(await isHit('one-1,two-2')).toBe(false)
    // An answer is kept a moment after its job has ended.
    await until(() => isHit('two-2,one-1'))
    expect(await isHit('one-1')).toBe(false)
    expect(betasAt(claude).at(-1)).toBe('one-1')
  })

  it('to a message batch that comes again', async () => {
    const create = (betas: string) =>
      call(api, 'POST', '/v1/messages/batches', {
        body: { requests: [row('a', 'claude')] },
        headers: { 'anthropic-beta': betas, 'idempotency-key': 'batch-of-betas' },
      })
    const [first, same, another] = [await create('one-1'), await create('one-1'), await create('two-2')]
    expect(same.json.id).toBe(first.json.id)
    expect(another.json.id).not.toBe(first.json.id)
    // Their calls would be counted with those of the next test.
    for (const { json } of [first, another]) {
      const path = `/v1/messages/batches/${json.id}`
      await until(async () => (await call(api, 'GET', path)).json.processing_status === 'ended')
    }
  })
})

describe('official clients', () => {
  it("Anthropic's send their betas through", async () => {
    const client = new Anthropic({ apiKey: 'k', baseURL: api.url, maxRetries: 0 })
    const betas = ['context-1m-2025-08-07', 'fast-mode-2026-02-01'] as Anthropic.Beta.AnthropicBeta[]
    const answer = await client.beta.messages.create({ ...message, betas })
    expect(answer.content).toMatchObject([{ type: 'text', text: 'ho' }])
    expect(betasAt(claude)).toEqual(['context-1m-2025-08-07,fast-mode-2026-02-01'])
    expect(JSON.parse(claude.arrivals[0]!.text)).not.toHaveProperty('betas')
  })

  it("Anthropic's give each line of a batch those of the batch", async () => {
    const client = new Anthropic({ apiKey: 'k', baseURL: api.url, maxRetries: 0 })
    const betas = ['message-batches-2024-09-24', 'output-300k-2026-03-24'] as Anthropic.Beta.AnthropicBeta[]
    const requests = [row('a', 'claude'), row('b', 'claude')]
    const { id } = await client.beta.messages.batches.create({ requests, betas } as never)
    await until(async () => (await client.messages.batches.retrieve(id)).processing_status === 'ended')
    expect(betasAt(claude)).toEqual([betas.join(','), betas.join(',')])
  })

  it("OpenAI's give each line of a batch the headers of its creation, and a retry the same", async () => {
    const client = new OpenAI({ apiKey: 'k', baseURL: `${api.url}/v1`, maxRetries: 0 })
    const { upload, ended } = desk(client)
    gpt.answers(answering(400, { error: { message: 'no', type: 'invalid_request_error', code: null } }))
    const line = { custom_id: 'a', method: 'POST', url: '/v1/chat/completions', body: chat }
    const input_file_id = await upload(`${JSON.stringify(line)}\n`)
    const order = {
      input_file_id,
      endpoint: '/v1/chat/completions' as const,
      completion_window: '24h' as const,
    }
    const headers = { 'OpenAI-Beta': 'x=v1', 'x-team': 'green' }
    const batch = await ended((await client.batches.create(order, { headers })).id)
    const retried = (await client.post(`/batches/${batch.id}/retry`, { body: {} })) as Json
    await ended(retried.id)
    gpt.answers(answering(200, answers.chat))
    expect(gpt.arrivals.map(({ headers: { 'openai-beta': sent, 'x-team': team } }) => [sent, team])).toEqual([
      ['x=v1', 'green'],
      ['x=v1', 'green'],
    ])
  })
})
