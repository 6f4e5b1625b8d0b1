import Anthropic from '@anthropic-ai/sdk'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../../harness/until.ts'
import { line, lines } from '../../batches/batch-desk.ts'
import { type BatchApi, clients, desk, openBatchApi } from '../batch-deployment.ts'

let api: BatchApi
beforeAll(async () => {
  api = await openBatchApi({
    config: {
      models: {
        plain: { provider: 'first' },
        hang: { provider: 'first' },
        'fail-400': { provider: 'first' },
      },
    },
  })
})
afterAll(() => api[Symbol.asyncDispose]())

const headers = { authorization: 'Bearer right' }
const get = (path: string, more: Record<string, string> = {}) =>
  fetch(api.url + path, { headers: { ...headers, ...more } })

describe('the output of a running batch', () => {
  it.each(Object.entries(clients))('%s finds the output of a batch that still runs', async (_, Client) => {
    const client = new Client({ apiKey: 'right', baseURL: `${api.url}/v1` })
    const { submit } = desk(client)
    const batch = await submit(lines(5, 'plain') + line('last', 'hang'))
    const find = async () => {
      const page = await client.files.list({ purpose: 'batch_output' })
      return page.data.find(({ filename }) => filename === `${batch.id}_output.jsonl`)
    }
    const read = async (id: string) => (await (await client.files.content(id)).text()).trim().split('\n')
    const found = await until(async () => {
      const file = await find()
      return file && (await read(file.id)).length === 5 ? file : null
    })
    const file = await client.files.retrieve(found.id)
    expect(file).toMatchObject({ object: 'file', status: 'uploaded', purpose: 'batch_output' })
    const all = await client.files.list({ limit: 1 })
    expect([all.data[0]!.id, all.has_more]).toEqual([file.id, true])
    const older = await client.files.list({ after: file.id, limit: 1 })
    expect(older.data[0]!.id < file.id).toBe(true)

    for (const path of [`/v1/files/${file.id}/content`, `/v1/batches/${batch.id}/content`]) {
      const nothingNew = await get(path, { range: `bytes=${file.bytes}-` })
      expect([nothingNew.status, await nothingNew.text()]).toEqual([204, ''])
      expect((await get(path, { range: `bytes=${file.bytes - 3}-` })).status).toBe(206)
      expect((await get(path, { range: `bytes=${file.bytes + 1}-` })).status).toBe(416)
      expect((await get(path, { authorization: 'Bearer other' })).status).toBe(404)
    }

    await client.batches.cancel(batch.id)
    const ended = await desk(client).ended(batch.id)
    expect(ended.output_file_id).toBe(file.id)
    expect(await find()).toMatchObject({ id: file.id, status: 'processed' })
    expect((await get(`/v1/files/${file.id}/content`, { range: `bytes=${file.bytes}-` })).status).toBe(416)
  })

  it('a message batch says how far it is while it runs', async () => {
    const client = new Anthropic({ apiKey: 'right', baseURL: api.url })
    const requestOf = (custom_id: string, model: string) => ({
      custom_id,
      params: { model, max_tokens: 5, messages: [{ role: 'user' as const, content: 'hi' }] },
    })
    const requests = [
      requestOf('a', 'plain'),
      requestOf('b', 'plain'),
      requestOf('c', 'hang'),
      requestOf('d', 'fail-400'),
    ]
    const { id } = await client.messages.batches.create({ requests })
    const seen = await until(async () => {
      const batch = (await client.messages.batches.retrieve(id)) as { progress?: { processing: number } }
      return batch.progress?.processing === 1 ? batch : null
    })
    expect(seen).toMatchObject({
      processing_status: 'in_progress',
      request_counts: { processing: 4, succeeded: 0, errored: 0 },
      progress: { total: 4, processing: 1, succeeded: 2, errored: 1, canceled: 0, expired: 0 },
    })
    const content = await (await get(`/v1/messages/batches/${id}/content`)).text()
    const range = `bytes=${Buffer.byteLength(content)}-`
    expect((await get(`/v1/messages/batches/${id}/content`, { range })).status).toBe(204)
    await client.messages.batches.cancel(id)
    await until(async () => (await client.messages.batches.retrieve(id)).processing_status === 'ended')
  })
})
