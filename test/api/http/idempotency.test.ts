import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, chat, endJob, openTestApi, type TestApi } from '../test-api.ts'

let api: TestApi
beforeAll(async () => {
  api = await openTestApi({ config: { api_keys: ['default', { key: 'other', tenant: 'other' }] } })
})
afterAll(() => api[Symbol.asyncDispose]())

const post = (key: string, body: unknown, apiKey = 'default') =>
  call(api, 'POST', '/v1/jobs', {
    body,
    headers: { 'idempotency-key': key, authorization: `Bearer ${apiKey}` },
  })

describe('Idempotency-Key', () => {
  it('a repeated request is answered with the first job, also when that has ended', async () => {
    const first = await post('repeat', { body: chat() })
    const again = await post('repeat', { body: chat() })
    expect(first.headers.get('idempotent-replayed')).toBeNull()
    expect(again.headers.get('idempotent-replayed')).toBe('true')
    expect([again.status, again.headers.get('location')]).toEqual([202, first.headers.get('location')])
    expect(again.json).toEqual(first.json)

    await endJob(api, first.json.id)
    const ended = await post('repeat', { body: chat() })
    expect(ended.json).toMatchObject({
      id: first.json.id,
      status: 'succeeded',
      response: { status_code: 200 },
    })
  })

  it('fifty concurrent requests with one key make one job', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => post('rush', { body: chat() })))
    expect(new Set(answers.map(a => a.json.id)).size).toBe(1)
    expect(answers.filter(a => a.headers.get('idempotent-replayed') === null)).toHaveLength(1)
  })

  it.each([
    ['body', { body: chat('other') }],
    ['metadata', { body: chat(), metadata: { a: 'b' } }],
    ['endpoint', { body: chat(), endpoint: '/v1/messages' }],
  ])('another %s under the same key is refused', async (what, second) => {
    await post(`differs-${what}`, { body: chat() })
    expect((await post(`differs-${what}`, second)).status).toBe(422)
  })

  it('the order of the envelope does not matter', async () => {
    const first = await post('order', { body: chat(), priority: 'low', metadata: { a: 'b' } })
    const second = await post('order', { metadata: { a: 'b' }, priority: 'low', body: chat() })
    expect(second.json.id).toBe(first.json.id)
  })

  it('tenants do not share keys', async () => {
    const first = await post('shared', { body: chat() })
    const second = await post('shared', { body: chat() }, 'other')
    expect(second.json.id).not.toBe(first.json.id)
  })
})
