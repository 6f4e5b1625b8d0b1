import Anthropic from '@anthropic-ai/sdk'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { answering } from '../../contract/providers/recording-upstream.ts'
import { type BatonApi, openBaton } from '../../support/open-baton.ts'
import { openVendor, type Vendor } from '../../support/vendors.ts'
import { call } from '../test-api.ts'

let claude: Vendor
let baton: BatonApi
let anthropic: Anthropic
beforeAll(async () => {
  claude = await openVendor(answering(200, {}))
  baton = await openBaton({
    level: 'api',
    workers: [],
    config: {
      providers: {
        claude: { type: 'anthropic', base_url: claude.url, api_key: 'sk-secret' },
        gpt: { type: 'openai', base_url: `${claude.url}/v1`, api_key: 'k' },
      },
      models: {
        claude: { provider: 'claude', upstream_model: 'claude-sonnet-4-5', fallback_to: 'gpt' },
        gpt: { provider: 'gpt', fallback_to: 'claude' },
        alone: { provider: 'gpt' },
      },
    },
  })
  anthropic = new Anthropic({ apiKey: 'k', baseURL: baton.url, maxRetries: 0 })
})
afterAll(async () => {
  await baton.stop()
  await claude.close()
})
beforeEach(() => {
  claude.answers(answering(200, { input_tokens: 14 }))
  claude.forget()
})

const asked = { model: 'claude', messages: [{ role: 'user' as const, content: 'hi' }] }
const failing = (status: number, type: string, headers = {}) =>
  claude.answers(answering(status, { type: 'error', error: { type, message: 'no, sk-secret' } }, headers))

describe('tokens of messages, counted for the official client', () => {
  it('are what the provider says, which is asked as the client asks', async () => {
    const { data, response } = await anthropic.beta.messages
      .countTokens({ ...asked, system: 'be brief', betas: ['some-beta'] })
      .withResponse()
    expect(data).toMatchObject({ input_tokens: 14 })
    expect(response.headers.get('x-baton-provider')).toBe('claude')
    const [{ path, headers, text } = claude.arrivals[0]!] = claude.arrivals
    expect(path).toBe('/v1/messages/count_tokens')
    expect(headers).toMatchObject({
      'x-api-key': 'sk-secret',
      'anthropic-beta': expect.stringContaining('some-beta'),
    })
    expect(JSON.parse(text)).toEqual({ ...asked, model: 'claude-sonnet-4-5', system: 'be brief' })
    expect(await anthropic.messages.countTokens(asked)).toMatchObject({ input_tokens: 14 })
  })

  it('go there to the byte, but for the name of the model', async () => {
    const body =
      '{ "model":"claude", "messages":[{"role":"user","content":"\\u00e9"}], "n":12345678901234567890 }'
    const answer = await call(baton, 'POST', '/v1/messages/count_tokens', { body })
    expect(answer).toMatchObject({ status: 200, json: { input_tokens: 14 } })
    expect(claude.arrivals[0]?.text).toBe(body.replace('"claude"', '"claude-sonnet-4-5"'))
    expect((await call(baton, 'GET', '/v1/jobs')).json.data).toEqual([])
  })

  it('are those of the next target that can count, where the first cannot', async () => {
    const { data, response } = await anthropic.messages.countTokens({ ...asked, model: 'gpt' }).withResponse()
    expect([data.input_tokens, response.headers.get('x-baton-provider')]).toEqual([14, 'claude'])
  })

  it('are refused in words where no target can count', async () => {
    await expect(anthropic.messages.countTokens({ ...asked, model: 'alone' })).rejects.toMatchObject({
      ...{ status: 400, type: 'invalid_request_error' },
      error: { error: { details: { error_code: 'count_tokens_unsupported' } } },
    })
    await expect(anthropic.messages.countTokens({ ...asked, model: 'none' })).rejects.toMatchObject({
      constructor: Anthropic.NotFoundError,
    })
    expect(claude.arrivals).toEqual([])
  })

  it.each([
    [400, 'invalid_request_error', {}, Anthropic.BadRequestError],
    [413, 'request_too_large', {}, Anthropic.APIError],
    [429, 'rate_limit_error', { 'retry-after': '7' }, Anthropic.RateLimitError],
  ])("have the provider's own error, without a secret: %s", async (status, type, headers, Thrown) => {
    failing(status, type, headers)
    const error = await anthropic.messages.countTokens(asked).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(Thrown)
    expect(error).toMatchObject({ status, type, message: expect.not.stringContaining('sk-secret') })
    if (status === 429) expect((error as { headers?: Headers }).headers?.get('retry-after')).toBe('7')
  })

  it.each([
    ['the key is wrong', () => failing(401, 'authentication_error')],
    ['it is out of order', () => failing(500, 'api_error')],
    ['the answer is no count', () => claude.answers(answering(200, { ok: true }))],
    ['a proxy answers', () => claude.answers(answering(400, '<html>no</html>'))],
  ])('are 503 where %s', async (_, fail) => {
    fail()
    await expect(anthropic.messages.countTokens(asked)).rejects.toMatchObject({
      ...{ status: 503, message: expect.stringContaining('cannot be counted now') },
    })
  })

  it('cost no call when the client has gone', async () => {
    const closed = new Promise<void>(resolve =>
      claude.answers(request => request.once('close', () => resolve()).socket.once('close', () => resolve())),
    )
    const gone = new AbortController()
    const counting = anthropic.messages.countTokens(asked, { signal: gone.signal }).catch(() => undefined)
    while (claude.arrivals.length === 0) await new Promise(setImmediate)
    gone.abort()
    await counting
    await closed
  })
})
