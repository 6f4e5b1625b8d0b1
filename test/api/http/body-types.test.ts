import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, chat, openTestApi, type TestApi } from '../test-api.ts'

let api: TestApi
beforeAll(async () => {
  api = await openTestApi({ config: { server: { max_body_bytes: 100_000 } } })
})
afterAll(() => api[Symbol.asyncDispose]())

/** Bytes carry no type of their own, so that none is sent where none is named. */
const post = async (path: string, body: unknown, type: string | null) => {
  const headers = { prefer: 'respond-async', ...(type !== null && { 'content-type': type }) }
  const bytes = new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body))
  const response = await fetch(api.url + path, { method: 'POST', headers, body: bytes })
  return { status: response.status, json: JSON.parse(await response.text()) }
}

const claude = { ...chat(), model: 'claude', max_tokens: 5 }
const bodies: [path: string, body: object, status: number][] = [
  ['/v1/chat/completions', chat(), 202],
  ['/v1/messages', claude, 202],
  ['/v1/jobs', { body: chat() }, 202],
  ['/v1/messages/batches', { requests: [{ custom_id: 'a', params: claude }] }, 200],
  ['/v1/uploads', { filename: 'a', bytes: 3, mime_type: 'text/plain', purpose: 'user_data' }, 200],
]

describe('types of request bodies', () => {
  describe.each([
    'application/x-www-form-urlencoded',
    'Application/X-WWW-Form-Urlencoded; charset=utf-8',
    'text/plain',
    'text/plain;charset=UTF-8',
    null,
  ])('a body of type %s', type => {
    it.each(bodies)('is read as JSON on %s', async (path, body, status) => {
      expect(await post(path, body, type)).toMatchObject({ status })
    })

    it('is refused where it is none', async () => {
      const { status, json } = await post('/v1/chat/completions', 'model=gpt-4', type)
      expect([status, json.error.code]).toEqual([400, 'invalid_json'])
    })
  })

  it.each(['text/html', 'application/xml', 'text/plainer', 'multipart/form-data; boundary=x'])(
    'a body of type %s is refused for it',
    async type => {
      const { status, json } = await post('/v1/chat/completions', chat(), type)
      expect([status, json.error.code]).toEqual([415, 'unsupported_media_type'])
    },
  )

  it("Anthropic's text completions are told to be retired, whatever they send", async () => {
    for (const body of ['{"prompt":"\\n\\nHuman: hi"}', 'no JSON', 'x'.repeat(200_000)]) {
      const answer = await call(api, 'POST', '/v1/complete', { body })
      expect(answer).toMatchObject({
        status: 410,
        json: {
          type: 'error',
          error: {
            type: 'invalid_request_error',
            message: expect.stringContaining('POST /v1/messages'),
            details: { error_code: 'endpoint_retired' },
          },
          request_id: answer.headers.get('request-id'),
        },
      })
    }
  })
})
