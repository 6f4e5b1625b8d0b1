import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { answering } from '../../contract/providers/recording-upstream.ts'
import { type BatonApi, openBaton } from '../../support/open-baton.ts'
import { answers, openVendor, type Vendor } from '../../support/vendors.ts'
import { call, chat } from '../test-api.ts'

let vendor: Vendor
let baton: BatonApi
let api: { readonly url: string }

beforeAll(async () => {
  vendor = await openVendor(answering(200, answers.chat))
  baton = await openBaton({
    level: 'api',
    config: {
      jobs: { sync_timeout: '90s' },
      providers: { gpt: { type: 'openai', base_url: `${vendor.url}/v1`, api_key: 'k', retries: 0 } },
      models: { 'gpt-4': { provider: 'gpt' } },
    },
  })
  api = { url: baton.url }
})
afterAll(async () => {
  await baton.stop()
  await vendor.close()
})
beforeEach(() => vendor.answers(answering(200, answers.chat)))

const ask = (headers: Record<string, string>) =>
  call(api, 'POST', '/v1/chat/completions', { body: chat(), headers })
const jobOf = async (answer: { readonly headers: Headers }) =>
  (await call(api, 'GET', `/v1/jobs/${answer.headers.get('x-baton-job-id')}`)).json

describe('timeouts of synchronous calls', () => {
  describe('a caller that bounds its wait', () => {
    it.each([
      ['30', 30],
      ['30s', 30],
      ['2.5', 2.5],
      ['45000ms', 45],
      ['1m', 60],
      [' 90 ', 90],
    ])('gives its job the deadline that %j says', async (text, seconds) => {
      const answer = await ask({ 'x-baton-timeout': text })
      expect(answer.status).toBe(200)
      const { createdAtMs, expiresAtMs } = (await baton.context.store.read(
        answer.headers.get('x-baton-job-id')!,
      ))!
      expect(expiresAtMs - createdAtMs).toBe(seconds * 1_000)
    })

    it('is told that the time is over, and the call is ended', async () => {
      const closed = Promise.withResolvers<void>()
      vendor.answers((_, response) => response.on('close', () => closed.resolve()))
      const answer = await ask({ 'x-baton-timeout': '300ms' })
      expect([answer.status, answer.json.error.code]).toEqual([504, 'expired'])
      await closed.promise
    })

    it.each(['', 'soon', '0', '10ms', '-5', '1e3', '91', '2h', '1d', '5 5', '30s, 40s', '9'.repeat(400)])(
      'is refused %j',
      async text => {
        const answer = await ask({ 'x-baton-timeout': text })
        expect([answer.status, answer.json.error]).toEqual([
          400,
          expect.objectContaining({ code: 'invalid_request', param: 'x-baton-timeout' }),
        ])
      },
    )
  })

  describe("the provider's own name of a request", () => {
    it.each([
      ['OpenAI', { 'x-request-id': 'req_1' }, 'req_1'],
      ['Anthropic, behind a proxy', { 'x-request-id': 'proxy', 'request-id': 'req_2' }, 'req_2'],
      ['Bedrock', { 'x-amzn-RequestId': 'b-3' }, 'b-3'],
      ['Azure', { 'apim-request-id': 'a-4' }, 'a-4'],
      ['whoever is behind Cloudflare', { 'cf-ray': '8f-FRA' }, '8f-FRA'],
      ['one that says it twice', { 'x-request-id': 'one, two' }, 'one'],
      ['one whose id is no word', { 'x-request-id': 'not an id', 'cf-ray': 'ray' }, 'ray'],
      ['one whose id is too long', { 'x-request-id': 'x'.repeat(500) }, null],
      ['nobody', {}, null],
    ])('is told of %s', async (_, headers, id) => {
      vendor.answers(answering(200, answers.chat, headers as Record<string, string>))
      const answer = await ask({})
      expect(answer.headers.get('x-upstream-request-id')).toBe(id)
      expect((await jobOf(answer)).attempts[0].upstream_request_id ?? null).toBe(id)
    })

    it('is told of a failure, too', async () => {
      const refusal = { error: { message: 'no', type: 'invalid_request_error', code: null, param: null } }
      vendor.answers(answering(400, refusal, { 'x-request-id': 'req_no' }))
      const answer = await ask({})
      expect([answer.status, answer.headers.get('x-upstream-request-id')]).toEqual([400, 'req_no'])
      expect(answer.headers.get('x-request-id')).toMatch(/^req_/)
    })
  })
})
