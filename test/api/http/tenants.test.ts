import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, endJob, failure, openTestApi, submitJob, type TestApi } from '../test-api.ts'

const secret = `whsec_${'A'.repeat(32)}`
let api: TestApi
beforeAll(async () => {
  api = await openTestApi({
    config: {
      api_keys: [
        { key: 'key-a', tenant: 'a' },
        { key: 'key-b', tenant: 'b' },
      ],
    },
  })
})
afterAll(() => api[Symbol.asyncDispose]())

const as = (key: string) => ({ headers: { authorization: `Bearer ${key}` } })

describe('tenants', () => {
  describe('authentication', () => {
    it.each([
      ['a bearer token', { authorization: 'Bearer key-a' }, 200],
      ['a scheme in other letters', { authorization: 'bearer key-a' }, 200],
      ['x-api-key', { 'x-api-key': 'key-b' }, 200],
      ['no key', {}, 401],
      ['an empty token', { authorization: 'Bearer ' }, 401],
      ['a wrong key', { authorization: 'Bearer key-c' }, 401],
      ['the beginning of a key', { 'x-api-key': 'key-' }, 401],
      ['another scheme', { authorization: 'Basic key-a' }, 401],
    ])('%s', async (_, headers: Record<string, string>, status) => {
      const answer = await call(api, 'GET', '/v1/jobs', { headers })
      expect(answer.status).toBe(status)
      expect(answer.headers.get('www-authenticate')).toBe(status === 401 ? 'Bearer' : null)
    })

    it.each(['/healthz', '/readyz'])('%s is open', async path => {
      expect((await call(api, 'GET', path)).status).toBe(200)
    })

    it("answers in Anthropic's shape where Anthropic's clients ask", async () => {
      for (const path of ['/v1/messages', '/v1/models']) {
        const method = path === '/v1/messages' ? 'POST' : 'GET'
        const answer = await call(api, method, path, { headers: { 'anthropic-version': '2023-06-01' } })
        expect(answer.json).toEqual({
          type: 'error',
          error: {
            type: 'authentication_error',
            message: expect.any(String),
            details: { error_code: 'invalid_api_key' },
          },
          request_id: answer.headers.get('request-id'),
        })
      }
    })
  })

  describe('the job of another tenant', () => {
    it.each([
      ['GET', ''],
      ['POST', '/cancel'],
      ['POST', '/retry'],
    ])('is not there for %s %s', async (method, action) => {
      const { id } = await submitJob(api, {}, as('key-a'))
      await endJob(api, id, failure)
      const answer = await call(api, method, `/v1/jobs/${id}${action}`, as('key-b'))
      expect([answer.status, answer.json.error.code]).toEqual([404, 'job_not_found'])
      expect((await call(api, 'GET', `/v1/jobs/${id}`, as('key-a'))).status).toBe(200)
    })

    it('is in no list and among no dead letters', async () => {
      const webhook = { url: 'https://192.0.1.1/', secret }
      const { id } = await submitJob(api, { webhook }, as('key-a'))
      await endJob(api, id)
      await api.parts.deliveries.jobs.recordDelivery(id, 0, { status: 'dead', reason: 'http_410' })
      const listed = async (path: string, key: string) =>
        (await call(api, 'GET', path, as(key))).json.data.map(
          (job: { id?: string; job_id?: string }) => job.id ?? job.job_id,
        )
      expect(await listed('/v1/jobs', 'key-a')).toContain(id)
      expect(await listed('/v1/dead-letters', 'key-a')).toEqual([id])
      expect(await listed('/v1/jobs', 'key-b')).not.toContain(id)
      expect(await listed('/v1/dead-letters', 'key-b')).toEqual([])
      const redelivery = await call(api, 'POST', `/v1/dead-letters/${id}/redeliver`, as('key-b'))
      expect(redelivery.json.error.code).toBe('delivery_not_found')
    })
  })
})
