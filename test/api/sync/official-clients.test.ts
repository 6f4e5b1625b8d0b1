import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { patience } from '../../support/patience.ts'
import { call, endJob, failure, type Json, openTestApi, type TestApi } from '../test-api.ts'

let api: TestApi
let openai: OpenAI
let anthropic: Anthropic
beforeAll(async () => {
  api = await openTestApi({ config: { api_keys: ['right'] } })
  openai = new OpenAI({ apiKey: 'right', baseURL: `${api.url}/v1` })
  anthropic = new Anthropic({ apiKey: 'right', baseURL: api.url })
})
afterAll(() => api[Symbol.asyncDispose]())

const headers = { authorization: 'Bearer right' }
const queued = async (): Promise<string[]> =>
  (await call(api, 'GET', '/v1/jobs?status=queued', { headers })).json.data.map((job: Json) => job.id)

/** Ends the next job that is queued as its worker would. */
const answerNext = async (final: Parameters<typeof endJob>[2]): Promise<string> => {
  const id = await vi.waitUntil(async () => (await queued())[0], patience)
  await endJob(api, id, final)
  return id
}

const chat = { model: 'gpt-4', messages: [{ role: 'user' as const, content: 'hi' }] }
const message = { model: 'claude', max_tokens: 5, messages: [{ role: 'user' as const, content: 'hi' }] }

describe('synchronous calls with official clients', () => {
  describe('openai', () => {
    it('gets its completion', async () => {
      const body = JSON.stringify({
        id: 'c',
        object: 'chat.completion',
        choices: [{ message: { content: 'ho' } }],
      })
      const completion = openai.chat.completions.create(chat)
      await answerNext({ response: { statusCode: 200, body } })
      expect((await completion).choices[0]?.message.content).toBe('ho')
      expect((await completion)._request_id).toMatch(/^req_/)
    })

    it('lists models and finds one with a slash in its name', async () => {
      const ids: string[] = []
      for await (const model of openai.models.list()) ids.push(model.id)
      expect(ids).toEqual(['gpt-4', 'claude', 'meta/llama'])
      expect(await openai.models.retrieve('meta/llama')).toMatchObject({
        id: 'meta/llama',
        owned_by: 'openai',
      })
    })

    it('throws the classes its users catch', async () => {
      await expect(openai.chat.completions.create({ ...chat, model: 'gpt-5' })).rejects.toMatchObject({
        constructor: OpenAI.NotFoundError,
        code: 'unknown_model',
        param: 'model',
        requestID: expect.stringMatching(/^req_/),
      })
      await expect(openai.chat.completions.create({ ...chat, messages: [] })).rejects.toThrow(
        OpenAI.BadRequestError,
      )
      const stranger = new OpenAI({ apiKey: 'wrong', baseURL: `${api.url}/v1` })
      await expect(stranger.models.list()).rejects.toThrow(OpenAI.AuthenticationError)
    })

    it('does not repeat what ended for good', async () => {
      const completion = openai.chat.completions.create(chat)
      const settled = completion.catch((error: unknown) => error)
      const id = await vi.waitUntil(async () => (await queued())[0], patience)
      await api.parts.store.expire(id, 0)
      expect(await settled).toMatchObject({
        status: 504,
        code: 'expired',
        constructor: OpenAI.InternalServerError,
      })
      expect(await queued()).toEqual([])
    })
  })

  describe('@anthropic-ai/sdk', () => {
    it('gets its message', async () => {
      const body = JSON.stringify({ id: 'm', type: 'message', content: [{ type: 'text', text: 'ho' }] })
      const answer = anthropic.messages.create(message)
      await answerNext({ response: { statusCode: 200, body } })
      expect((await answer).content).toEqual([{ type: 'text', text: 'ho' }])
      expect((await answer)._request_id).toMatch(/^req_/)
    })

    it('lists models', async () => {
      const models: unknown[] = []
      for await (const model of anthropic.models.list()) models.push(model)
      expect(models).toHaveLength(3)
      expect(await anthropic.models.retrieve('claude')).toMatchObject({ type: 'model', id: 'claude' })
    })

    it('throws the classes its users catch', async () => {
      await expect(anthropic.messages.create({ ...message, model: 'claude-9' })).rejects.toMatchObject({
        constructor: Anthropic.NotFoundError,
        type: 'not_found_error',
        requestID: expect.stringMatching(/^req_/),
      })
      await expect(anthropic.models.retrieve('claude-9')).rejects.toThrow(Anthropic.NotFoundError)
      const stranger = new Anthropic({ apiKey: 'wrong', baseURL: api.url })
      await expect(stranger.messages.create(message)).rejects.toThrow(Anthropic.AuthenticationError)
    })

    it("sees the upstream's own error", async () => {
      const body = JSON.stringify({
        type: 'error',
        error: { type: 'invalid_request_error', message: 'too hot' },
      })
      const answer = anthropic.messages.create(message).catch((error: unknown) => error)
      await answerNext({ ...failure, response: { statusCode: 400, body } })
      expect(await answer).toMatchObject({
        constructor: Anthropic.BadRequestError,
        type: 'invalid_request_error',
      })
    })
  })
})
