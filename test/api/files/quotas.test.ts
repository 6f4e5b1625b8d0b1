import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createKeys, newBatchId, newFileId } from '../../../src/redis/keys.ts'
import { field, file, postForm } from '../forms.ts'
import { type Answer, call, openTestApi, type TestApi } from '../test-api.ts'

const config = {
  api_keys: [
    { key: 'one', tenant: 'one' },
    { key: 'two', tenant: 'two' },
  ],
  quotas: { files: 3, bytes: 2_000, open_batches: 2, tenants: { two: { files: 100 } } },
}

let api: TestApi
beforeAll(async () => {
  api = await openTestApi({ config })
})
afterAll(() => api[Symbol.asyncDispose]())
beforeEach(async () => {
  const names = await api.redis.keys(`${api.prefix}:*`)
  await Promise.all(names.filter(name => /\{(?:files|batches)\}/.test(name)).map(name => api.redis.del(name)))
})

const as = (key: string, more: object = {}) => ({ authorization: `Bearer ${key}`, ...more })
const upload = (key: string, text = 'x', isChunked = false): Promise<Answer> =>
  postForm(api, '/v1/files', [field('purpose', 'batch'), file(text)], { headers: as(key), isChunked })
const remove = (key: string, id: string) => call(api, 'DELETE', `/v1/files/${id}`, { headers: as(key) })
const begin = (key: string, bytes: number): Promise<Answer> =>
  call(api, 'POST', '/v1/uploads', {
    body: { bytes, filename: 'a', mime_type: 'text/plain', purpose: 'user_data' },
    headers: as(key),
  })
const refused = (status: number, code: string) => ({ status, json: { error: { code } } })
const full = refused(403, 'storage_quota_exceeded')
const sums = (tenant: string) => api.redis.hgetall(createKeys(api.prefix).heldSums(tenant))

const line = JSON.stringify({
  custom_id: 'a',
  method: 'POST',
  url: '/v1/chat/completions',
  body: { model: 'gpt-4', messages: [{ role: 'user', content: 'hi' }] },
})
const batch = (key: string, input_file_id: string, more: object = {}): Promise<Answer> =>
  call(api, 'POST', '/v1/batches', {
    body: { input_file_id, endpoint: '/v1/chat/completions', completion_window: '24h' },
    headers: as(key, more),
  })

describe('quotas of a tenant', () => {
  describe('files', () => {
    it('are bounded in number, also when they come at once, and give back their places', async () => {
      const all = await Promise.all(Array.from({ length: 6 }, () => upload('one')))
      const made = all.filter(({ status }) => status === 200)
      expect(made).toHaveLength(3)
      for (const answer of all) if (answer.status !== 200) expect(answer).toMatchObject(full)
      expect(await begin('one', 10)).toMatchObject(full)
      expect(await upload('two')).toMatchObject({ status: 200 })
      await remove('one', made[0]!.json.id)
      expect(await upload('one')).toMatchObject({ status: 200 })
      expect(await sums('one')).toEqual({ files: '3', bytes: '3' })
    })

    it.each([false, true])('are bounded in bytes; in chunks: %s', async isChunked => {
      expect(await upload('one', 'x'.repeat(1_200), isChunked)).toMatchObject({ status: 200 })
      const answer = await upload('one', 'x'.repeat(1_200), isChunked)
      expect(answer).toMatchObject(full)
      expect(answer.json.error.message).toBe(
        'You may keep 2000 bytes of files; delete some that you are done with.',
      )
      expect(await sums('one')).toEqual({ files: '1', bytes: '1200' })
    })

    it('count an upload by what it announced, until it is cancelled, expired or deleted', async () => {
      const { id } = (await begin('one', 1_500)).json
      expect(await begin('one', 1_500)).toMatchObject(full)
      await call(api, 'POST', `/v1/uploads/${id}/cancel`, { headers: as('one') })
      expect(await sums('one')).toEqual({})
      const second = (await begin('one', 3)).json.id
      const form = [{ ...file('abc', 'blob'), name: 'data' }]
      const part = await postForm(api, `/v1/uploads/${second}/parts`, form, { headers: as('one') })
      const { json } = await call(api, 'POST', `/v1/uploads/${second}/complete`, {
        body: { part_ids: [part.json.id] },
        headers: as('one'),
      })
      expect(await sums('one')).toEqual({ files: '1', bytes: '3' })
      await remove('one', json.file.id)
      expect(await sums('one')).toEqual({})
    })

    it('that were counted and never made are found when there is no room', async () => {
      // As a process leaves them that dies, or a Redis that loses the tail of its log.
      for (let i = 0; i < 3; i += 1) {
        await api.parts.quotas.hold('one', newFileId(i, Date.now()), 1, 10)
      }
      expect(await upload('one')).toMatchObject({ status: 200 })
      expect(await sums('one')).toEqual({ files: '1', bytes: '1' })
    })
  })

  describe('open batches', () => {
    it('are bounded; one that is sent again is found, and those that have ended make room', async () => {
      const { id } = (await upload('one', line)).json
      const first = await batch('one', id)
      expect(await batch('one', id)).toMatchObject({ status: 200 })
      const answer = await batch('one', id)
      expect(answer).toMatchObject(refused(429, 'too_many_open_batches'))
      expect(answer.headers.get('retry-after')).toBe('60')
      const again = await batch('one', id, { 'x-stainless-retry-count': '1' })
      expect(again).toMatchObject({ status: 200 })
      expect(again.headers.get('idempotent-replayed')).toBe('true')
      const { id: other } = (await upload('two', line)).json
      expect(await batch('two', other)).toMatchObject({ status: 200 })
      // Its runner died before it could say so.
      await api.redis.hset(createKeys(api.prefix).batch(first.json.id), 'ended_at', Date.now())
      expect(await batch('one', id)).toMatchObject({ status: 200 })
    })

    it('of messages count too, with the bytes of their documents', async () => {
      const make = (key: string, content = 'hi') =>
        call(api, 'POST', '/v1/messages/batches', {
          body: {
            requests: [
              {
                custom_id: 'a',
                params: { model: 'claude', max_tokens: 9, messages: [{ role: 'user', content }] },
              },
            ],
          },
          headers: as(key, { 'anthropic-version': '2023-06-01' }),
        })
      expect(await make('one')).toMatchObject({ status: 200 })
      const { bytes, files } = await sums('one')
      expect([Number(bytes) > 50, files]).toEqual([true, '0'])
      const tooLong = await make('one', 'x'.repeat(2_000))
      expect(tooLong).toMatchObject({
        status: 403,
        json: { error: { details: { error_code: 'storage_quota_exceeded' } } },
      })
      expect(await make('one')).toMatchObject({ status: 200 })
      const before = await sums('one')
      expect(await make('one')).toMatchObject({ status: 429 })
      expect(await sums('one')).toEqual(before)
    })

    it('that were let in and never made are no longer counted after a while', async () => {
      for (let i = 0; i < 2; i += 1) {
        await api.parts.quotas.admit('one', newBatchId('openai', i, Date.now() - 120_000))
      }
      const { id } = (await upload('one', line)).json
      expect(await batch('one', id)).toMatchObject({ status: 200 })
    })
  })
})
