import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createKeys } from '../../../src/redis/keys.ts'
import { call, endJob, failure, openTestApi, submitJob, type TestApi } from '../test-api.ts'

const secret = `whsec_${'A'.repeat(32)}`
const webhook = { url: 'https://192.0.1.1/', secret }
let api: TestApi
beforeAll(async () => {
  api = await openTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

const act = (path: string, headers: Record<string, string> = {}) => call(api, 'POST', path, { headers })

describe('actions on jobs', () => {
  describe('cancel', () => {
    it.each([
      ['no content type', {}],
      ['a JSON content type', { 'content-type': 'application/json' }],
      ['a form', { 'content-type': 'application/x-www-form-urlencoded' }],
    ])('ends the job, with an empty body and %s', async (_, headers) => {
      const { id } = await submitJob(api)
      const answer = await act(`/v1/jobs/${id}/cancel`, headers)
      expect(answer.status).toBe(200)
      expect(answer.json).toMatchObject({ id, status: 'cancelled', error: { code: 'cancelled' } })
      expect(answer.json.finished_at).toBeTypeOf('number')
    })

    it('ignores a body', async () => {
      const { id } = await submitJob(api)
      const answer = await call(api, 'POST', `/v1/jobs/${id}/cancel`, { body: 'not json' })
      expect(answer.status).toBe(200)
    })

    it('may be repeated', async () => {
      const { id } = await submitJob(api)
      const first = await act(`/v1/jobs/${id}/cancel`)
      expect(await act(`/v1/jobs/${id}/cancel`)).toMatchObject({ status: 200, json: first.json })
    })
  })

  describe('retry', () => {
    it.each([
      ['failed', (id: string) => endJob(api, id, failure)],
      ['cancelled', (id: string) => act(`/v1/jobs/${id}/cancel`)],
      ['expired', (id: string) => api.parts.store.expire(id, 0)],
    ])('makes a new job of the request of one that %s', async (_, end) => {
      const first = await submitJob(api, {
        webhook,
        metadata: { a: 'b' },
        priority: 'low',
        completion_window: '2h',
      })
      await end(first.id)
      const answer = await act(`/v1/jobs/${first.id}/retry`)
      const { json } = answer
      expect([answer.status, answer.headers.get('location')]).toEqual([202, `/v1/jobs/${json.id}`])
      expect(json.id).not.toBe(first.id)
      expect(json).toMatchObject({
        status: 'queued',
        retry_of: first.id,
        metadata: { a: 'b' },
        priority: 'low',
        webhook: { url: webhook.url, status: 'pending', attempts: 0 },
      })
      expect(json.expires_at - json.created_at).toBe(7_200)
      const { store } = api.parts
      expect(await store.readBody(json.id)).toBe(await store.readBody(first.id))
    })

    it('repeats nothing that succeeded', async () => {
      const { id } = await submitJob(api)
      await endJob(api, id)
      const answer = await act(`/v1/jobs/${id}/retry`)
      expect([answer.status, answer.json.error.code]).toEqual([409, 'job_not_retryable'])
    })

    it('makes one job for one Idempotency-Key', async () => {
      const { id } = await submitJob(api)
      await endJob(api, id, failure)
      const headers = { 'idempotency-key': 'retry-once' }
      const [one, two] = [
        await act(`/v1/jobs/${id}/retry`, headers),
        await act(`/v1/jobs/${id}/retry`, headers),
      ]
      expect(two.json.id).toBe(one.json.id)
    })
  })

  describe('dead letters', () => {
    it('are listed newest first, and leave the list when sent again', async () => {
      const died: string[] = []
      for (const reason of ['http_500', 'timeout']) {
        const { id } = await submitJob(api, { webhook })
        await endJob(api, id)
        await api.parts.deliveries.jobs.recordDelivery(id, 0, { status: 'dead', reason })
        died.unshift(id)
      }
      const letter = (i: number, reason: string) => ({
        id: died[i],
        job_id: died[i],
        died_at: expect.any(Number),
        webhook: { url: webhook.url },
        attempts: 1,
        reason,
      })
      const list = async (query = '') => (await call(api, 'GET', `/v1/dead-letters${query}`)).json
      const newest = letter(0, 'timeout')
      expect(await list()).toEqual({
        ...{ object: 'list', data: [newest, letter(1, 'http_500')] },
        ...{ has_more: false, next_cursor: null },
      })
      const first = await list('?limit=1')
      expect(first).toMatchObject({ object: 'list', data: [newest], has_more: true })
      const rest = { data: [letter(1, 'http_500')], has_more: false, next_cursor: null }
      for (const after of [first.next_cursor, died[0]])
        expect(await list(`?limit=1&after=${after}`)).toMatchObject(rest)

      const answer = await act(`/v1/dead-letters/${died[0]}/redeliver`)
      expect([answer.status, answer.json.webhook.status]).toEqual([202, 'pending'])
      expect((await list()).data).toEqual([letter(1, 'http_500')])
      // The place stays one although its letter has left.
      expect(await list(`?after=${first.next_cursor}`)).toMatchObject(rest)
      expect((await act(`/v1/dead-letters/${died[0]}/redeliver`)).json.error.code).toBe('delivery_not_found')
    })

    it('whose record is gone are passed over, and the page is filled with others', async () => {
      const died: string[] = []
      for (let i = 0; i < 4; i++) {
        const { id } = await submitJob(api, { webhook })
        await endJob(api, id)
        await api.parts.deliveries.jobs.recordDelivery(id, 0, { status: 'dead', reason: 'timeout' })
        died.unshift(id)
      }
      const keys = createKeys(api.prefix)
      await api.redis.del(keys.record(died[0]!), keys.record(died[1]!))
      const { json } = await call(api, 'GET', '/v1/dead-letters?limit=2')
      expect(json.data.map(({ id }: { id: string }) => id)).toEqual(died.slice(2))
    })

    it.each(['nothing', 'job_00000000000000000000000000', '-', '1765000000000-'])(
      'come after no "%s"',
      async after => {
        const answer = await call(api, 'GET', `/v1/dead-letters?after=${after}`)
        expect([answer.status, answer.json.error.code, answer.json.error.param]).toEqual([
          400,
          'invalid_cursor',
          'after',
        ])
      },
    )
  })
})
