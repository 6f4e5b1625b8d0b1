import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { shardOf } from '../../../src/redis/keys.ts'
import { call, endJob, failure, type Json, openTestApi, submitJob, type TestApi } from '../test-api.ts'

let api: TestApi
beforeEach(async () => {
  api = await openTestApi()
})
afterEach(() => api[Symbol.asyncDispose]())

const list = async (query: string): Promise<Json> => (await call(api, 'GET', `/v1/jobs?${query}`)).json

/** Keys spread jobs over the shards; one after the other keeps their order known. */
const submitMany = async (count: number): Promise<string[]> => {
  const ids: string[] = []
  for (let i = 0; i < count; i++) {
    ids.push((await submitJob(api, {}, { headers: { 'idempotency-key': randomUUID() } })).id)
  }
  return ids
}

const walk = async (query: string, onPage: () => Promise<unknown> = async () => {}): Promise<string[]> => {
  const ids: string[] = []
  for (let cursor = ''; ; ) {
    const page = await list(`${query}${cursor && `&cursor=${cursor}`}`)
    ids.push(...page.data.map((job: Json) => job.id))
    if (!page.has_more) return ids
    cursor = page.next_cursor
    await onPage()
  }
}

describe('GET /v1/jobs', () => {
  it('pages through all shards, newest first, without a job twice or missing while others arrive', async () => {
    const ids = await submitMany(50)
    expect(new Set(ids.map(shardOf)).size).toBeGreaterThan(8)
    const walked = await walk('limit=7', () => submitMany(3))
    expect(walked).toEqual(ids.toReversed())
  })

  it('says where the list ends', async () => {
    expect(await list('')).toEqual({ object: 'list', data: [], has_more: false, next_cursor: null })
    await submitMany(4)
    expect(await list('limit=4')).toMatchObject({ has_more: false, next_cursor: null })
    expect(await list('limit=3')).toMatchObject({ has_more: true, next_cursor: expect.any(String) })
  })

  it('shows jobs as GET does, but for their responses', async () => {
    const { id } = await submitJob(api)
    await endJob(api, id)
    const { response, ...rest } = (await call(api, 'GET', `/v1/jobs/${id}`)).json
    expect(response.status_code).toBe(200)
    expect((await list('')).data).toEqual([rest])
  })

  it('finds the jobs of a status among others', async () => {
    const ids = await submitMany(30)
    const failed = ids.filter((_, i) => i % 10 === 0)
    for (const id of failed) await endJob(api, id, failure)
    expect(await walk('status=failed&limit=2')).toEqual(failed.toReversed())
  })

  it('finds a job of a status behind thousands of others at once', async () => {
    const wanted = await submitJob(api)
    await endJob(api, wanted.id, failure)
    const submission = {
      tenant: 'default',
      endpoint: '/v1/chat/completions',
      model: 'gpt-4',
      body: '{}',
    } as const
    const rest = { parsedBody: {}, windowMs: 60_000, webhook: null, metadata: null, retryOf: null }
    const submit = () => api.parts.submit({ ...submission, ...rest, priority: 'default', idempotency: null })
    await Promise.all(Array.from({ length: 2_500 }, submit))

    const { data, has_more } = await list('status=failed')
    expect([data.map((job: Json) => job.id), has_more]).toEqual([[wanted.id], false])
  })
})
