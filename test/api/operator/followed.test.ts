import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { shards } from '../../../src/redis/keys.ts'
import { patience } from '../../support/patience.ts'
import { field, file, postForm } from '../forms.ts'
import { call, chat, endJob, failure, type Json, openTestApi, submitJob, type TestApi } from '../test-api.ts'
import { type OpenPage, openPage } from './page-events.ts'

let api: TestApi
beforeAll(async () => {
  api = await openTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

const newBatch = async (): Promise<string> => {
  const line = { custom_id: 'a', method: 'POST', url: '/v1/chat/completions', body: chat() }
  const form = [field('purpose', 'batch'), file(JSON.stringify(line))]
  const input = await postForm(api, '/v1/files', form)
  const order = {
    input_file_id: input.json.id,
    endpoint: '/v1/chat/completions',
    completion_window: '24h',
  }
  return (await call(api, 'POST', '/v1/batches', { body: order })).json.id
}

const write = (id: string, fields: Record<string, string | number>) =>
  api.redis.hset(api.context.keys.batch(id), fields)

/** A page that has its snapshot. */
const opened = async (topics: string): Promise<OpenPage> => {
  const page = await openPage(api.url, topics)
  await expect.poll(() => page.count('snapshot'), patience).toBe(1)
  return page
}

/** What a page knows of one of its rows, from all that it was told. */
const rowOn = (page: OpenPage, event: 'batches' | 'rows', id: string): Json =>
  page.events
    .flatMap(each => (each.event === 'snapshot' ? each.data[event] : each.event === event ? each.data : []))
    .findLast((row: Json) => row.id === id)

describe('the topic `batches`', () => {
  it('tells of those that come, change and end, of each when it does', async () => {
    const [first, second] = [await newBatch(), await newBatch()]
    await using page = await opened('batches')
    expect(
      page
        .last('snapshot')
        .batches.map(({ id }: Json) => id)
        .toSorted(),
    ).toEqual([first, second])
    const third = await newBatch()
    await expect.poll(() => rowOn(page, 'batches', third), patience).toMatchObject({ status: 'validating' })
    await write(first, { status: 'in_progress', total: 5 })
    await expect.poll(() => rowOn(page, 'batches', first), patience).toMatchObject({ total: 5 })
    await call(api, 'POST', `/v1/batches/${second}/cancel`)
    await expect.poll(() => rowOn(page, 'batches', second)?.status, patience).toMatch(/^cancel/)
    const told = page.events.filter(({ event }) => event === 'batches').flatMap(({ data }) => data)
    expect(new Set(told.map((row: Json) => JSON.stringify(row))).size).toBe(told.length)
  })

  it('tells the end of one that is no longer among the open ones', async () => {
    const id = await newBatch()
    await using page = await opened('batches')
    await expect.poll(() => rowOn(page, 'batches', id), patience).toBeDefined()
    await write(id, { status: 'completed', ended: Date.now() })
    await Promise.all(shards.map(shard => api.redis.zrem(api.context.keys.openBatches(shard), id)))
    await expect.poll(() => rowOn(page, 'batches', id)?.status, patience).toBe('completed')
  })
})

describe('the topic `batch:<id>`', () => {
  it('shows it as its own page does, and then what changes', async () => {
    const id = await newBatch()
    await using page = await opened(`batch:${id}`)
    const asked = await call(api, 'GET', `/v1/admin/batches/${id}`)
    expect(page.last('snapshot')).toEqual({ batch: asked.json })
    await write(id, { total: 7 })
    await expect.poll(() => page.last('batch')?.total, patience).toBe(7)
  })

  it('says of one that is not there that it is not', async () => {
    const id = await newBatch()
    await using page = await opened(`batch:${id.slice(0, -1)}${id.endsWith('0') ? '1' : '0'}`)
    expect(page.last('snapshot')).toEqual({ batch: null })
  })
})

describe('the topic `job:<id>`', () => {
  it('shows the job as operators see it, up to its end', async () => {
    const { id } = await submitJob(api)
    await using page = await opened(`job:${id}`)
    expect(page.last('snapshot').job).toMatchObject({ id, status: 'queued', explained: expect.anything() })
    await endJob(api, id, failure)
    await expect.poll(() => page.last('job')?.status, patience).toBe('failed')
  })
})

describe('the topic `rows:<ids>`', () => {
  it('tells of these jobs alone, and of each when it changes', async () => {
    const [a, b, other] = [await submitJob(api), await submitJob(api), await submitJob(api)]
    await using page = await opened(`rows:${a.id},${b.id},overview`)
    const { rows, overview } = page.last('snapshot')
    expect(rows.map(({ id }: Json) => id).toSorted()).toEqual([a.id, b.id].toSorted())
    expect(overview).toBeDefined()
    await endJob(api, other.id, failure)
    await endJob(api, b.id, failure)
    await expect
      .poll(() => rowOn(page, 'rows', b.id), patience)
      .toMatchObject({ status: 'failed', target: 'openai/gpt-4' })
    const told = page.events.filter(({ event }) => event === 'rows').flatMap(({ data }) => data)
    expect(told.map(({ id }: Json) => id)).toEqual([b.id])
  })

  it('are no more than a page of a list has', async () => {
    const ids = Array.from({ length: 51 }, (_, i) => `job_01J0000000000000000000${1_000 + i}`)
    const answer = await call(api, 'GET', `/v1/admin/events?topics=rows:${ids.join(',')}`)
    expect(answer).toMatchObject({ status: 400, json: { error: { param: 'topics' } } })
  })
})
