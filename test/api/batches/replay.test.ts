import type OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { line, lines } from '../../batches/batch-desk.ts'
import { type BatchApi, clients, desk, openBatchApi } from '../batch-deployment.ts'
import { openLossyProxy } from '../lost-response.ts'
import { call } from '../test-api.ts'

/** Nobody feeds: batches stay as they were made until a test brings a feeder. */
let api: BatchApi
beforeAll(async () => {
  api = await openBatchApi({ feeders: 0 })
})
afterAll(() => api[Symbol.asyncDispose]())

const { 'openai 7': OpenAI7 } = clients
const open = (url = api.url): OpenAI => new OpenAI7({ apiKey: 'right', baseURL: `${url}/v1` })
const listed = async (): Promise<string[]> =>
  (await open().batches.list({ limit: 100 })).data.map(({ id }) => id)
const create = (inputFileId: string, headers: Record<string, string> = {}, more: object = {}) =>
  call(api, 'POST', '/v1/batches', {
    body: {
      input_file_id: inputFileId,
      endpoint: '/v1/chat/completions',
      completion_window: '24h',
      ...more,
    },
    headers: { authorization: 'Bearer right', ...headers },
  })

describe('a batch created twice', () => {
  describe.each(Object.entries(clients))('%s', (_, Client) => {
    it('makes one batch, though the first answer got lost', async () => {
      const inputFileId = await desk(open()).upload(line('a', 'plain'))
      const before = await listed()
      await using proxy = await openLossyProxy(api.url, 'POST /v1/batches ')
      const client = new Client({ apiKey: 'right', baseURL: `${proxy.url}/v1` })
      const { data: batch, response } = await client.batches
        .create({
          input_file_id: inputFileId,
          endpoint: '/v1/chat/completions',
          completion_window: '24h',
          metadata: { n: '1' },
        })
        .withResponse()
      expect(proxy.lost).toBe(1)
      expect(response.headers.get('idempotent-replayed')).toBe('true')
      expect((await listed()).filter(id => !before.includes(id))).toEqual([batch.id])
      expect(batch.status).toBe('validating')
    })

    it('cancels a batch that nobody has looked at, and asked again changes nothing', async () => {
      const { submit } = desk(open())
      const { id } = await submit(lines(3, 'plain'))
      const client = new Client({ apiKey: 'right', baseURL: `${api.url}/v1` })
      const cancelling = await client.batches.cancel(id)
      expect(cancelling.status).toBe('cancelling')
      expect(await client.batches.cancel(id)).toEqual(cancelling)
    })
  })

  describe('a request that is sent again', () => {
    it('is the same by its Idempotency-Key', async () => {
      const id = await desk(open()).upload(line('a', 'plain'))
      const key = { 'idempotency-key': 'k-1' }
      const [first, second] = [await create(id, key), await create(id, key)]
      expect(second.json).toEqual(first.json)
      expect([first, second].map(({ headers }) => headers.get('idempotent-replayed'))).toEqual([null, 'true'])
      expect((await create(id, { 'idempotency-key': 'k-2' })).json.id).not.toBe(first.json.id)
    })

    it('is another one when it differs, or does not say that it is a repetition', async () => {
      const id = await desk(open()).upload(line('a', 'plain'))
      const again = { 'x-stainless-retry-count': '1' }
      const made = [
        await create(id),
        await create(id),
        await create(id, again, { metadata: { n: '2' } }),
        await create(id, again, { completion_window: '23h' }),
        await create(id, { 'x-stainless-retry-count': '0' }),
      ].map(({ json }) => json.id)
      expect(new Set(made).size).toBe(5)
      expect((await create(id, again)).json.id).toBe(made[4])
      const stranger = await create(id, { ...again, authorization: 'Bearer other' })
      expect(stranger.json.error.code).toBe('file_not_found')
    })
  })

  it('a cancel that is sent again finds the batch cancelled, which is no error', async () => {
    const { submit, ended } = desk(open())
    const { id } = await submit(lines(3, 'plain'))
    const cancel = (headers: Record<string, string> = {}) =>
      call(api, 'POST', `/v1/batches/${id}/cancel`, {
        headers: { authorization: 'Bearer right', ...headers },
      })
    expect((await cancel()).json.status).toBe('cancelling')
    await api.feeder()
    expect(await ended(id)).toMatchObject({
      status: 'cancelled',
      output_file_id: null,
      request_counts: { total: 3, completed: 0, failed: 3 },
    })
    expect(await cancel({ 'x-stainless-retry-count': '1' })).toMatchObject({
      status: 200,
      json: { status: 'cancelled' },
    })
    expect(await cancel()).toMatchObject({
      status: 409,
      json: { error: { code: 'batch_finished', message: "Cannot cancel a batch with status 'cancelled'." } },
    })
  })
})
