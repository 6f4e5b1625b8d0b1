import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { until } from '../../../harness/until.ts'
import { newJobId } from '../../../src/redis/keys.ts'
import { answering } from '../../contract/providers/recording-upstream.ts'
import { key, openReasonsSite, type ReasonsSite } from '../reasons-site.ts'
import { call, type Json } from '../test-api.ts'

const message = 'tools.0.input_schema: JSON schema is invalid'
const claudeRejects = answering(400, { type: 'error', error: { type: 'invalid_request_error', message } })
const openaiRejects = answering(422, {
  error: {
    message: 'Invalid schema.',
    type: 'invalid_request_error',
    param: 'tools',
    code: 'invalid_function',
  },
})

const messages = (site: ReasonsSite, model: string) =>
  call({ url: site.baton.url }, 'POST', '/v1/messages', {
    body: { model, max_tokens: 5, messages: [{ role: 'user', content: 'hi' }] },
  })

const ended = (site: ReasonsSite, id: string): Promise<Json> =>
  until(async () => {
    const job = await site.get(`/v1/jobs/${id}`)
    return job.finished_at !== null && job
  })

describe('reasons given for a job', () => {
  describe('a request that a provider of another format rejects', () => {
    it("is answered so on OpenAI's sync paths in OpenAI's shape", async () => {
      await using site = await openReasonsSite()
      site.claude.answers(claudeRejects)
      const { status, json } = await site.ask('opus')
      expect(status).toBe(400)
      expect(json).toEqual({
        error: {
          message,
          type: 'invalid_request_error',
          param: null,
          code: 'invalid_request_error',
          last_error: {
            provider: 'claude',
            model: 'opus',
            status_code: 400,
            code: 'invalid_request_error',
            message,
          },
        },
      })
      const asked = site.clients.openai.chat.completions.create({
        model: 'opus',
        messages: [{ role: 'user', content: 'hi' }],
      })
      await expect(asked).rejects.toThrow(OpenAI.BadRequestError)
    })

    it("is answered so on Anthropic's sync path in Anthropic's shape", async () => {
      await using site = await openReasonsSite()
      site.openai.answers(openaiRejects)
      const { status, json } = await messages(site, 'gpt-4')
      expect(status).toBe(422)
      expect(json).toMatchObject({
        type: 'error',
        error: {
          type: 'invalid_request_error',
          message: 'Invalid schema.',
          details: { error_code: 'invalid_function', last_error: { provider: 'openai', status_code: 422 } },
        },
      })
    })

    it('tells it on the job and on its attempt', async () => {
      await using site = await openReasonsSite()
      site.claude.answers(claudeRejects)
      const job = await ended(site, await site.baton.chat('opus'))
      const error = { code: 'invalid_request_error', message }
      expect(job).toMatchObject({
        status: 'failed',
        response: null,
        error: {
          code: 'upstream_rejected',
          message: `claude/opus answered 400 (invalid_request_error): ${message}`,
          last_error: { provider: 'claude', model: 'opus', status_code: 400, ...error },
        },
        attempts: [{ verdict: 'rejected', error }],
      })
    })
  })

  it('an answer in the format of the client is given as it came', async () => {
    await using site = await openReasonsSite()
    site.openai.answers(openaiRejects)
    const { status, json } = await site.ask('gpt-4')
    expect(status).toBe(422)
    expect(json).toEqual({
      error: {
        message: 'Invalid schema.',
        type: 'invalid_request_error',
        param: 'tools',
        code: 'invalid_function',
      },
    })
  })

  it.each(['attempts_exhausted', 'expired'] as const)(
    'a job that ends as %s tells of its last call',
    async code => {
      await using site = await openReasonsSite(
        { config: { jobs: { max_attempts: code === 'expired' ? 50 : 2, sync_timeout: '2s' } } },
        // No circuit opens: whoever waits would be told so at once.
        {
          backoff: code === 'expired' ? { base: '200ms', cap: '400ms' } : { base: '10ms', cap: '20ms' },
          breaker: { min_calls: 10_000 },
        },
      )
      const broken = answering(500, { error: { message: 'Broken.', type: 'server_error', code: null } })
      site.openai.answers(broken)
      const { status, json } = await site.ask('gpt-4')
      expect([status, json.error]).toMatchObject([code === 'expired' ? 504 : 502, { code }])
      expect(json.error).toMatchObject({
        code,
        message: expect.stringContaining('Last, openai/gpt-4 answered 500 (server_error): Broken.'),
        last_error: { provider: 'openai', model: 'gpt-4', status_code: 500, message: 'Broken.' },
      })
    },
  )

  it('a call that nobody answered says why', async () => {
    await using site = await openReasonsSite({ config: { jobs: { sync_timeout: '1s' } } })
    await site.openai.close()
    const { status, json } = await site.ask('gpt-4')
    expect(status).toBe(504)
    expect(json.error.last_error).toMatchObject({ status_code: null, code: 'connect' })
    expect(json.error.message).toContain('No connection to the provider could be made (ECONNREFUSED).')
  })

  describe('a secret that a proxy writes into its error', () => {
    const forms: Record<string, (secret: string) => string> = {
      'as it is': secret => secret,
      'as a header': secret => `authorization: Bearer ${secret}`,
      'in base64': secret => Buffer.from(`Bearer ${secret}`).toString('base64'),
      'in a URL': secret => `?h=${encodeURIComponent(`Bearer ${secret}`)}`,
      'cut off': secret => secret.slice(0, 20),
    }
    it.each(Object.entries(forms))('%s is nowhere to be seen', async (_, form) => {
      await using site = await openReasonsSite({}, { headers: { 'x-corp-token': 'corp+token/42==' } })
      const echo = (status: number) =>
        answering(status, {
          error: {
            message: `Rejected ${form(key)} and ${form('corp+token/42==')}`,
            type: 'invalid_request_error',
            code: null,
            headers: { authorization: `Bearer ${key}`, 'x-corp-token': 'corp+token/42==' },
          },
        })
      site.openai.answers(echo(400))
      site.claude.answers(echo(401))
      const shown = [
        (await site.ask('gpt-4')).text,
        (await site.ask('opus')).text,
        JSON.stringify(await site.get('/v1/jobs')),
        JSON.stringify(await site.get('/v1/providers')),
      ]
      for (const job of (await site.get('/v1/jobs')).data)
        shown.push(JSON.stringify(await site.get(`/v1/jobs/${job.id}`)))
      const stored = await site.baton.context.redis.keys(`${site.baton.prefix}:*`)
      for (const name of stored) {
        if ((await site.baton.context.redis.type(name)) === 'hash')
          shown.push(JSON.stringify(await site.baton.context.redis.hgetall(name)))
      }
      const all = shown.join('\n')
      expect(all).toContain('[redacted]')
      for (const secret of [form(key), form('corp+token/42=='), key, 'corp+token/42=='])
        expect(all).not.toContain(secret)
    })
  })

  it('a job that no target of its route can serve any more says what of it', async () => {
    await using site = await openReasonsSite({
      config: { models: { blind: { provider: 'openai', capabilities: { vision: false } } } },
    })
    const { context } = site.baton
    const id = newJobId(3, Date.now())
    const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }
    // As it was accepted before the config said so.
    await context.store.create({
      ...{ id, tenant: 'default', endpoint: '/v1/chat/completions', model: 'blind', priority: 'default' },
      ...{ webhook: null, metadata: null, retryOf: null, idempotency: null },
      body: JSON.stringify({ model: 'blind', messages: [{ role: 'user', content: [image] }] }),
      target: { provider: 'openai', model: 'blind' },
      tokens: 500,
      createdAtMs: Date.now(),
      expiresAtMs: Date.now() + 60_000,
    })
    const { error } = await ended(site, id)
    expect(error.code).toBe('no_usable_target')
    expect(error.message).toMatch(/can carry: image input \(vision\)\. Leave it out or use another model\.$/)
  })
})
