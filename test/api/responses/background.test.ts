import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { jobOfResponse } from '../../../src/redis/keys.ts'
import { call, endJob, failure, openTestApi, type TestApi } from '../test-api.ts'

let api: TestApi
let openai: OpenAI
beforeAll(async () => {
  api = await openTestApi({
    config: { api_keys: ['right', { key: 'left', tenant: 'other' }] },
  })
  openai = new OpenAI({ apiKey: 'right', baseURL: `${api.url}/v1` })
})
afterAll(() => api[Symbol.asyncDispose]())

const headers = { authorization: 'Bearer right' }
const asked = { model: 'gpt-4', input: 'hi', background: true } as const
/** As a provider answers that was asked in the foreground. */
const answer = {
  id: 'resp_67ccd2bed1ec8190b14f964abc0542670bb6a6b452d3795b',
  object: 'response',
  created_at: 1_765_000_001,
  status: 'completed',
  background: false,
  error: null,
  incomplete_details: null,
  model: 'gpt-4-0613',
  output: [
    {
      ...{ id: 'msg_1', type: 'message', role: 'assistant', status: 'completed' },
      content: [{ type: 'output_text', text: 'ho', annotations: [] }],
    },
  ],
  usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 },
}
const answered = (body: object | string = answer) => ({
  response: { statusCode: 200, body: typeof body === 'string' ? body : JSON.stringify(body) },
})

describe('a response in the background, with the official client', () => {
  it('is queued, in progress, and completed with the answer under its own id', async () => {
    const made = await openai.responses.create({ ...asked, instructions: 'be brief', metadata: { a: 'b' } })
    expect(made).toMatchObject({
      ...{ object: 'response', status: 'queued', background: true, model: 'gpt-4', output: [], error: null },
      ...{ instructions: 'be brief', metadata: { a: 'b' }, tools: [], tool_choice: 'auto', usage: null },
    })
    expect(made.id).toMatch(/^resp_[0-9a-hjkmnp-tv-z]{26}$/)
    expect(Math.abs(made.created_at - Date.now() / 1_000)).toBeLessThan(60)
    expect((await openai.responses.retrieve(made.id)).status).toBe('queued')

    const claim = await api.parts.store.claim(jobOfResponse(made.id), 0, 0, 'token')
    expect(claim).toMatchObject({ endpoint: '/v1/responses' })
    expect(await openai.responses.retrieve(made.id)).toMatchObject({
      ...{ id: made.id, status: 'in_progress', instructions: 'be brief' },
    })
    if (typeof claim === 'string') throw new Error(claim)
    // The provider is not asked for an answer in the background.
    expect(JSON.parse(claim.body)).toEqual({
      ...{ model: 'gpt-4', input: 'hi', instructions: 'be brief', metadata: { a: 'b' } },
    })
    await api.parts.store.finalise(claim, {
      ...{ status: 'succeeded', attempts: [], error: null, refused: false, usage: null, costUsd: null },
      ...answered(),
    })
    const done = await openai.responses.retrieve(made.id)
    expect(done).toMatchObject({ ...answer, id: made.id, background: true })
    expect(done.output_text).toBe('ho')
  })

  it('keeps every byte of the answer but for its id', async () => {
    const { id } = await openai.responses.create(asked)
    const text = '{"id": "resp_x", "status":"incomplete","output":[{"id":"rs_1"}],"n":12345678901234567890}'
    await endJob(api, jobOfResponse(id), answered(text))
    expect((await call(api, 'GET', `/v1/responses/${id}`, { headers })).text).toBe(
      `{"background":true,"id": "${id}", "status":"incomplete","output":[{"id":"rs_1"}],"n":12345678901234567890}`,
    )
  })

  it('is failed with the code and message that a waiting client would have got', async () => {
    const { id } = await openai.responses.create(asked)
    await endJob(api, jobOfResponse(id), failure)
    expect(await openai.responses.retrieve(id)).toMatchObject({
      ...{ status: 'failed', output: [], model: 'gpt-4' },
      error: { code: 'attempts_exhausted', message: 'The budget was used up.' },
    })
  })

  it('is cancelled while it waits, and again without another effect', async () => {
    const { id } = await openai.responses.create(asked)
    expect(await openai.responses.cancel(id)).toMatchObject({ id, status: 'cancelled', error: null })
    expect(await openai.responses.cancel(id)).toMatchObject({ id, status: 'cancelled' })
    expect((await openai.responses.retrieve(id)).status).toBe('cancelled')
  })

  it('stays as it is when it is cancelled after its end', async () => {
    const { id } = await openai.responses.create(asked)
    await endJob(api, jobOfResponse(id), answered())
    expect((await openai.responses.cancel(id)).status).toBe('completed')
  })

  it.each(['while it waits', 'after its end'])('is deleted %s, with all that was kept', async when => {
    const long = 'x'.repeat(100_000)
    const { id } = await openai.responses.create({ ...asked, input: long })
    const jobId = jobOfResponse(id)
    if (when === 'after its end') await endJob(api, jobId, answered({ ...answer, long }))
    expect(await openai.responses.delete(id)).toEqual({ id, object: 'response', deleted: true })
    await expect(openai.responses.retrieve(id)).rejects.toThrow(OpenAI.NotFoundError)
    await expect(openai.responses.delete(id)).rejects.toMatchObject({ code: 'response_not_found' })
    expect(await api.redis.keys(`*${jobId}*`)).toEqual([])
  })

  it.each([
    ['in its record', 'hi'],
    ['apart', 'x'.repeat(100_000)],
  ])('has its input after the answer, kept %s', async (_, content) => {
    const input = [
      { role: 'system' as const, content },
      { type: 'message' as const, role: 'assistant' as const, content: 'well?' },
      { type: 'function_call_output' as const, call_id: 'call_1', output: '1' },
      {
        id: 'msg_mine',
        type: 'message' as const,
        role: 'user' as const,
        content: [{ type: 'input_text' as const, text: 'a' }],
      },
    ]
    const { id } = await openai.responses.create({ ...asked, input })
    await endJob(api, jobOfResponse(id), answered())
    const items = []
    for await (const item of openai.responses.inputItems.list(id, { order: 'asc', limit: 3 }))
      items.push(item)
    expect(items).toMatchObject([
      { role: 'system', status: 'completed', content: [{ type: 'input_text', text: content }] },
      { role: 'assistant', content: [{ type: 'output_text', text: 'well?', annotations: [] }] },
      { type: 'function_call_output', id: expect.stringMatching(/^fco_/), call_id: 'call_1', output: '1' },
      { id: 'msg_mine', content: [{ type: 'input_text', text: 'a' }] },
    ])
    expect(new Set(items.map(({ id }) => id)).size).toBe(4)
    const newest = await openai.responses.inputItems.list(id, { limit: 1 })
    expect(newest).toMatchObject({ data: [{ id: 'msg_mine' }], has_more: true })
    expect((await openai.responses.retrieve(id)).status).toBe('completed')
    await expect(openai.responses.inputItems.list(id, { after: 'msg_else' })).rejects.toMatchObject({
      ...{ status: 400, code: 'invalid_cursor', param: 'after' },
    })
  })

  it('has one text as its one input item', async () => {
    const { id } = await openai.responses.create(asked)
    expect((await openai.responses.inputItems.list(id)).data).toMatchObject([
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hi' }] },
    ])
  })

  it('is made once for one Idempotency-Key', async () => {
    const key = { headers: { 'idempotency-key': 'once' } }
    const { id } = await openai.responses.create(asked, key)
    await endJob(api, jobOfResponse(id), answered())
    expect(await openai.responses.create(asked, key)).toMatchObject({ id, status: 'completed' })
  })

  it('is a job, with the window of jobs, whatever is preferred', async () => {
    const { data, response } = await openai.responses
      .create(asked, { headers: { prefer: 'respond-async' } })
      .withResponse()
    expect(response.status).toBe(200)
    const jobId = jobOfResponse(data.id)
    expect(response.headers.get('x-baton-job-id')).toBe(jobId)
    const { json } = await call(api, 'GET', `/v1/jobs/${jobId}`, { headers })
    expect(json.expires_at - json.created_at).toBe(86_400)
  })

  it.each(['GET', 'DELETE'] as const)('is hidden from another tenant (%s)', async method => {
    const { id } = await openai.responses.create(asked)
    const stranger = { headers: { authorization: 'Bearer left' } }
    expect(await call(api, method, `/v1/responses/${id}`, stranger)).toMatchObject({
      ...{ status: 404, json: { error: { code: 'response_not_found', type: 'invalid_request_error' } } },
    })
    expect((await call(api, 'POST', `/v1/responses/${id}/cancel`, stranger)).status).toBe(404)
    expect((await call(api, 'GET', `/v1/responses/${id}/input_items`, stranger)).status).toBe(404)
    expect((await openai.responses.retrieve(id)).status).toBe('queued')
  })

  it("is not what a provider's own id, or another job's, names", async () => {
    await expect(openai.responses.retrieve(answer.id)).rejects.toMatchObject({
      ...{ status: 404, code: 'response_not_found', message: expect.stringContaining('background: true') },
    })
    const body = { endpoint: '/v1/responses', body: { model: 'gpt-4', input: 'hi' } }
    const { json } = await call(api, 'POST', '/v1/jobs', { headers, body })
    const id = json.id.replace('job_', 'resp_')
    await expect(openai.responses.delete(id)).rejects.toMatchObject({ code: 'response_not_found' })
    await expect(openai.responses.cancel(id)).rejects.toMatchObject({ code: 'response_not_found' })
    expect((await call(api, 'GET', `/v1/jobs/${json.id}`, { headers })).json.status).toBe('queued')
  })
})
