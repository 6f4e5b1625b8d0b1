import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { patience } from '../../support/patience.ts'
import {
  type Answer,
  type Call,
  call,
  chat,
  endJob,
  failure,
  type Json,
  openTestApi,
  type TestApi,
} from '../test-api.ts'

let api: TestApi
beforeAll(async () => {
  api = await openTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

const newest = async (): Promise<Json> => (await call(api, 'GET', '/v1/jobs?limit=1')).json.data[0]

/** Sends a request to a sync path; returns the job that it made, with its answer to come. */
const knock = async (path: string, options: Call = {}): Promise<{ id: string; answer: Promise<Answer> }> => {
  const before = (await newest())?.id
  const answer = call(api, 'POST', path, { body: chat(), ...options })
  answer.catch(() => undefined)
  const job = await vi.waitUntil(async () => {
    const job = await newest()
    return job && job.id !== before ? job : null
  }, patience)
  return { id: job.id, answer }
}

const statusOf = async (id: string): Promise<string> => (await call(api, 'GET', `/v1/jobs/${id}`)).json.status

describe('synchronous calls', () => {
  describe('a waiting request', () => {
    it.each([
      ['/v1/chat/completions', 'gpt-4'],
      ['/v1/messages', 'claude'],
      ['/v1/embeddings', 'gpt-4'],
      ['/v1/responses', 'gpt-4'],
      ['/v1/completions', 'gpt-4'],
    ])("is answered on %s with the upstream's own bytes", async (path, model) => {
      const { id, answer } = await knock(path, { body: { ...chat(), model, input: 'hi' } })
      const body = '{ "id":12345678901234567890,  "ä": "ö" }'
      await endJob(api, id, { response: { statusCode: 200, body } })
      const { status, headers, text } = await answer
      expect({ status, text }).toEqual({ status: 200, text: body })
      expect(headers.get('content-type')).toMatch(/^application\/json/)
      expect(headers.get('x-baton-job-id')).toBe(id)
      expect(headers.get('x-baton-provider')).toBe('openai')
      expect(headers.get('x-baton-attempts')).toBe('1')
      expect((await call(api, 'GET', `/v1/jobs/${id}`)).json.endpoint).toBe(path)
    })

    it("is answered with the upstream's own refusal", async () => {
      const { id, answer } = await knock('/v1/chat/completions')
      const response = { statusCode: 422, body: '{"error":{"message":"no"}}' }
      const error = { code: 'upstream_rejected', message: 'It was rejected.' } as const
      await endJob(api, id, { ...failure, error, response })
      expect(await answer).toMatchObject({ status: 422, text: response.body })
    })

    it.each([
      ['attempts_exhausted', 502, 'server_error', null],
      ['no_usable_target', 502, 'server_error', null],
      ['context_length_exceeded', 400, 'invalid_request_error', null],
      ['refused', 400, 'invalid_request_error', null],
      ['expired', 504, 'server_error', 'false'],
      ['cancelled', 409, 'invalid_request_error', 'false'],
    ] as const)('is told of a job that ended as %s', async (code, status, type, shouldRetry) => {
      const { id, answer } = await knock('/v1/chat/completions')
      if (code === 'cancelled') await api.parts.store.cancel(id)
      else if (code === 'expired') await api.parts.store.expire(id, 0)
      else await endJob(api, id, { ...failure, error: { code, message: 'It ended.' } })
      const { json, headers, ...rest } = await answer
      expect(rest.status).toBe(status)
      expect(json.error).toEqual({ code, type, param: null, message: expect.stringMatching(/\.$/) })
      expect(headers.get('x-should-retry')).toBe(shouldRetry)
      expect(headers.get('x-baton-job-id')).toBe(id)
    })
  })

  describe('the request', () => {
    it('is sent on as it was written', async () => {
      const body = '{"seed":12345678901234567890, "model":"gpt-4", "messages":[{}]}'
      const { id, answer } = await knock('/v1/chat/completions', { body: `\ufeff${body}` })
      expect(await api.parts.store.readBody(id)).toBe(body)
      await endJob(api, id)
      await answer
    })

    it.each([
      ['/v1/embeddings', { model: 'gpt-4', input: 'hi', stream: true }, 'streaming_unsupported'],
      ['/v1/chat/completions', {}, 'invalid_request'],
      ['/v1/messages', [], 'invalid_request'],
      ['/v1/messages', { ...chat(), model: 'gpt-5' }, 'unknown_model'],
    ])("on %s with %j is refused in the client's own shape: %s", async (path, body, code) => {
      const { json, headers, status } = await call(api, 'POST', path, { body })
      expect(status).toBe(code === 'unknown_model' ? 404 : 400)
      const told = path === '/v1/messages' ? json.error.details.error_code : json.error.code
      expect(told).toBe(code)
      if (path === '/v1/messages') expect(json.request_id).toBe(headers.get('request-id'))
    })

    it.each([
      ['/v1/chat/completions', { model: 'gpt-4' }, 'messages', "'messages' is missing."],
      ['/v1/chat/completions', { model: 'gpt-4', messages: null }, 'messages', "'messages' is missing."],
      [
        '/v1/chat/completions',
        { model: 'gpt-4', messages: 'hi' },
        'messages',
        "'messages' must be an array.",
      ],
      [
        '/v1/messages',
        { model: 'claude', messages: [] },
        'messages',
        "'messages' must have at least one message.",
      ],
      ['/v1/messages', { model: 'claude', messages: {} }, 'messages', "'messages' must be an array."],
      ['/v1/embeddings', { model: 'gpt-4' }, 'input', "'input' is missing."],
    ] as const)('on %s with %j is refused for %s', async (path, body, param, says) => {
      const { json, status } = await call(api, 'POST', path, { body })
      expect(status).toBe(400)
      expect(json.error.message).toMatch(says)
      if (path === '/v1/messages')
        expect(json).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } })
      else expect(json.error).toMatchObject({ param, type: 'invalid_request_error' })
    })

    it.each([
      ['/v1/responses', { model: 'gpt-4', previous_response_id: 'resp_1' }],
      ['/v1/responses', { model: 'gpt-4', background: false, prompt: { id: 'pmpt_1' } }],
      ['/v1/completions', { model: 'gpt-4' }],
      ['/v1/embeddings', { model: 'gpt-4', messages: [{ role: 'user', content: 'hi' }] }],
    ])('on %s with %j is the provider’s to judge', async (path, body) => {
      const answer = await call(api, 'POST', path, { body, headers: { prefer: 'respond-async' } })
      expect(answer.status).toBe(202)
    })

    it('with respond-async is answered 202 and the job', async () => {
      const headers = { prefer: 'respond-async' }
      const answer = await call(api, 'POST', '/v1/messages', {
        body: { ...chat(), model: 'claude' },
        headers,
      })
      expect(answer).toMatchObject({ status: 202, json: { object: 'job', endpoint: '/v1/messages' } })
      expect(answer.headers.get('location')).toBe(`/v1/jobs/${answer.json.id}`)
      expect(answer.headers.get('preference-applied')).toBe('respond-async')
      expect(answer.json.expires_at - answer.json.created_at).toBe(570)
    })
  })

  describe('an Idempotency-Key', () => {
    it('gives a repeated request the result of the first', async () => {
      const headers = { 'idempotency-key': 'sync' }
      const { id, answer } = await knock('/v1/chat/completions', { headers })
      const during = call(api, 'POST', '/v1/chat/completions', { body: chat(), headers })
      await endJob(api, id)
      const after = await call(api, 'POST', '/v1/chat/completions', { body: chat(), headers })
      for (const repeated of [await during, after]) {
        expect(repeated.text).toBe((await answer).text)
        expect(repeated.headers.get('x-baton-job-id')).toBe(id)
        expect(repeated.headers.get('idempotent-replayed')).toBe('true')
      }
      expect((await answer).headers.get('idempotent-replayed')).toBeNull()
    })
  })

  describe('a client that goes before the end', () => {
    it('without a key takes its job with it', async () => {
      const client = new AbortController()
      const { id } = await knock('/v1/chat/completions', { signal: client.signal })
      client.abort()
      await vi.waitUntil(async () => (await statusOf(id)) === 'cancelled', patience)
    })

    it('with a key finds its result on the next try', async () => {
      const client = new AbortController()
      const headers = { 'idempotency-key': 'left' }
      const { id, answer } = await knock('/v1/chat/completions', { headers, signal: client.signal })
      client.abort()
      await expect(answer).rejects.toThrow()
      const isForgotten = () => !api.parts.waiter.awaitedJobs().includes(id)
      await vi.waitUntil(isForgotten, patience)
      await endJob(api, id)
      const again = await call(api, 'POST', '/v1/chat/completions', { body: chat(), headers })
      expect(again.headers.get('x-baton-job-id')).toBe(id)
      expect(again.status).toBe(200)
    })
  })
})
