import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { until } from '../../../harness/until.ts'
import { answering } from '../../contract/providers/recording-upstream.ts'
import { answers } from '../../support/vendors.ts'
import { openReasonsSite, type Trouble, trouble } from '../reasons-site.ts'
import { call, chat } from '../test-api.ts'

const words = {
  openai: {
    'a wrong key': 'Incorrect API key.',
    'a misspelt model': 'The model `gpt-4` does not exist.',
    'an empty account': 'You exceeded your current quota.',
  },
  claude: {
    'a wrong key': 'invalid x-api-key',
    'a misspelt model': 'model: opus',
    'an empty account': 'Your credit balance is too low',
  },
} as const
const troubles = Object.keys(trouble.openai) as Trouble[]

describe('trouble that waiting does not mend', () => {
  describe.each(troubles)('a connection that waits while there is %s', what => {
    it.each([
      ['the only target', 'gpt-4'],
      ['a target whose format is translated', 'opus'],
      ['both targets', 'both'],
    ])('on %s is told so at once, and again when it comes back', async (_, model) => {
      await using site = await openReasonsSite()
      site.openai.answers(trouble.openai[what])
      site.claude.answers(trouble.claude[what])
      // The first makes the call; the next meets what is known by then.
      for (const _ of [1, 2]) {
        const { status, json, headers } = await site.ask(model)
        expect({ status, code: json.error.code }).toEqual({ status: 503, code: 'targets_unavailable' })
        expect(headers.get('x-should-retry')).toBe('false')
        expect(headers.get('retry-after')).toBeNull()
        for (const vendor of model === 'both'
          ? (['openai', 'claude'] as const)
          : ([model === 'opus' ? 'claude' : 'openai'] as const))
          expect(json.error.message).toContain(words[vendor][what])
        expect(json.error.last_error).toMatchObject({
          status_code: expect.any(Number),
          message: expect.any(String),
        })
      }
    })

    it('on the first target only is served by the second', async () => {
      await using site = await openReasonsSite()
      site.openai.answers(trouble.openai[what])
      expect((await site.ask('both')).status).toBe(200)
    })
  })

  describe('the official clients', () => {
    it.each(troubles)('throw at once, once, and with the reason where there is %s', async what => {
      await using site = await openReasonsSite()
      site.openai.answers(trouble.openai[what])
      site.claude.answers(trouble.claude[what])
      const asked = site.clients.openai.chat.completions.create({
        model: 'gpt-4',
        messages: [{ role: 'user', content: 'hi' }],
      })
      await expect(asked).rejects.toMatchObject({
        constructor: OpenAI.InternalServerError,
        status: 503,
        message: expect.stringContaining(words.openai[what]),
      })
      const message = { model: 'opus', max_tokens: 5, messages: [{ role: 'user' as const, content: 'hi' }] }
      await expect(site.clients.anthropic.messages.create(message)).rejects.toMatchObject({
        constructor: Anthropic.ServiceUnavailableError,
        status: 503,
        message: expect.stringContaining(words.claude[what]),
      })
      expect((await site.get('/v1/jobs')).data).toHaveLength(2)
    })
  })

  describe('throttling', () => {
    const throttled = (seconds: number) =>
      answering(
        429,
        { error: { message: 'Slow down, please.', type: 'requests', code: 'rate_limit_exceeded' } },
        { 'retry-after': String(seconds) },
      )

    it('of all targets for longer than the connection may wait is a 429 that says how long', async () => {
      await using site = await openReasonsSite({ config: { jobs: { sync_timeout: '60s' } } })
      for (const vendor of [site.openai, site.claude]) vendor.answers(throttled(300))
      const { status, json, headers } = await site.ask('both')
      expect({ status, code: json.error.code }).toEqual({ status: 429, code: 'targets_throttled' })
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(280)
      expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(301)
      expect(json.error.message).toContain('Slow down, please.')
      const asked = site.clients.openai.chat.completions.create({
        model: 'both',
        messages: [{ role: 'user', content: 'hi' }],
      })
      await expect(asked).rejects.toThrow(OpenAI.RateLimitError)
    })

    it('of one target, with a wrong key on the other, is no 429', async () => {
      await using site = await openReasonsSite({ config: { jobs: { sync_timeout: '60s' } } })
      site.openai.answers(throttled(300))
      site.claude.answers(trouble.claude['a wrong key'])
      const { status, json } = await site.ask('both')
      expect({ status, code: json.error.code }).toEqual({ status: 503, code: 'targets_unavailable' })
      expect(json.error.last_error).toMatchObject({ provider: 'claude', status_code: 401 })
    })

    it('that ends before the deadline is waited out', async () => {
      await using site = await openReasonsSite()
      site.openai.answers(throttled(1))
      const answer = site.ask('gpt-4')
      await until(() => site.openai.arrivals.length > 0)
      site.openai.answers(answering(200, answers.chat))
      expect((await answer).status).toBe(200)
    })
  })

  it('a pause of the only provider is told at once', async () => {
    await using site = await openReasonsSite()
    await call({ url: site.baton.url }, 'POST', '/v1/providers/openai/pause')
    const { status, json } = await site.ask('gpt-4')
    expect(status).toBe(503)
    expect(json.error.message).toContain('An operator has paused it.')
  })

  it('an Idempotency-Key is free again after such an end', async () => {
    await using site = await openReasonsSite()
    site.openai.answers(trouble.openai['a misspelt model'])
    const headers = { 'idempotency-key': 'again' }
    const first = await site.ask('gpt-4', { headers })
    expect(first.status).toBe(503)
    const body = chat('another', { model: 'opus' })
    const second = await call({ url: site.baton.url }, 'POST', '/v1/chat/completions', { body, headers })
    expect(second.status).toBe(200)
    expect(second.headers.get('x-baton-job-id')).not.toBe(first.headers.get('x-baton-job-id'))
    // A key that names an end which was no such one stays taken.
    const third = await site.ask('gpt-4', { headers })
    expect(third.status).toBe(422)
  })

  it('a native job waits, and says for what', async () => {
    await using site = await openReasonsSite()
    site.openai.answers(trouble.openai['a wrong key'])
    const ids = [await site.baton.chat('gpt-4'), await site.baton.chat('gpt-4')]
    for (const id of ids) {
      const job = await until(async () => {
        const job = await site.get(`/v1/jobs/${id}`)
        return job.status === 'parked' && job
      })
      expect(job.resumes_at).toBeGreaterThan(job.created_at)
      expect(job.last_error).toEqual({
        provider: 'openai',
        model: 'gpt-4',
        status_code: 401,
        code: 'invalid_api_key',
        message: 'Incorrect API key.',
      })
    }
  })
})
