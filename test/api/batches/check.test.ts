import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answer, call, openTestApi, type TestApi } from '../test-api.ts'

let api: TestApi
beforeAll(async () => {
  api = await openTestApi({
    config: { batches: { max_lines: 7, max_file_bytes: 2_048, max_line_bytes: 1_024 } },
  })
})
afterAll(() => api[Symbol.asyncDispose]())

const wanted = { endpoint: '/v1/chat/completions', completion_window: '24h' }
const check = (more: object = {}): Promise<Answer> =>
  call(api, 'POST', '/v1/batches/check', { body: { ...wanted, ...more } })

describe('POST /v1/batches/check', () => {
  it('answers what the file may be, and which models no line may have', async () => {
    const { status, json } = await check({ models: ['gpt-4', 'gpt-9', 'gpt-9'] })
    expect([status, json]).toEqual([
      200,
      {
        object: 'batch.check',
        unknown_models: ['gpt-9'],
        max_lines: 7,
        max_file_bytes: 2_048,
        max_line_bytes: 1_024,
      },
    ])
  })

  it.each([
    ['invalid_value', { completion_window: '8d' }],
    ['invalid_value', { endpoint: '/v1/messages' }],
    ['invalid_value', { metadata: { a: 'x'.repeat(513) } }],
    ['invalid_value', { models: [1] }],
    ['unknown_parameter', { input_file_id: 'file-1' }],
    [
      'webhook_address_forbidden',
      { webhook: { url: 'http://10.0.0.1/', secret: `whsec_${'A'.repeat(32)}` } },
    ],
  ])('refuses as the creation would, with %s: %o', async (code, more) => {
    const { status, json } = await check(more)
    expect([status, json.error.code]).toEqual([400, code])
  })

  it('makes nothing', async () => {
    await check()
    expect((await call(api, 'GET', '/v1/batches')).json.data).toEqual([])
  })
})
