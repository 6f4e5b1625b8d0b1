import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { batchJobId } from '../../../src/redis/keys.ts'
import { field, file, postForm } from '../forms.ts'
import { create as createMessageBatch } from '../message-batch-calls.ts'
import { call, chat, type Json, openTestApi, type TestApi } from '../test-api.ts'

let api: TestApi
beforeAll(async () => {
  api = await openTestApi({
    config: {
      api_keys: [
        { key: 'a-key', tenant: 'a' },
        { key: 'b-key', tenant: 'b' },
        { key: 'operator', tenant: 'ops', role: 'operator' },
      ],
    },
  })
})
afterAll(() => api[Symbol.asyncDispose]())

const as = (key: string) => ({ headers: { authorization: `Bearer ${key}` } })

const made = async (key: string): Promise<string> => {
  const line = { custom_id: 'a', method: 'POST', url: '/v1/chat/completions', body: chat() }
  const form = [field('purpose', 'batch'), file(JSON.stringify(line))]
  const input = await postForm(api, '/v1/files', form, as(key))
  const order = {
    input_file_id: input.json.id,
    endpoint: '/v1/chat/completions',
    completion_window: '24h',
  }
  return (await call(api, 'POST', '/v1/batches', { body: order, ...as(key) })).json.id
}

const list = async (query = ''): Promise<Json> =>
  (await call(api, 'GET', `/v1/admin/batches${query}`, as('operator'))).json

const write = (id: string, fields: Record<string, string | number>) =>
  api.redis.hset(api.context.keys.batch(id), fields)

const idsIn = ({ data }: Json): string[] => data.map(({ id }: Json) => id)

describe('batches of all tenants', () => {
  const ids: string[] = []
  let message = ''
  beforeAll(async () => {
    for (const key of ['a-key', 'b-key', 'a-key', 'b-key']) ids.push(await made(key))
    message = (await createMessageBatch(api, undefined, as('a-key').headers)).id
  })

  it('are listed newest first, page by page, each once', async () => {
    const all = idsIn(await list('?limit=100'))
    expect(all.toSorted()).toEqual([...ids, message].toSorted())
    const seen: string[] = []
    for (let cursor = ''; ; ) {
      const page = await list(`?limit=2${cursor}`)
      seen.push(...idsIn(page))
      if (!page.has_more) break
      cursor = `&cursor=${page.next_cursor}`
    }
    expect(seen).toEqual(all)
  })
  it('are filtered by tenant, dialect and status', async () => {
    expect(idsIn(await list('?tenant=b')).toSorted()).toEqual([ids[1], ids[3]].toSorted())
    expect(idsIn(await list('?dialect=anthropic'))).toEqual([message])
    expect(idsIn(await list('?status=completed'))).toEqual([])
    await write(ids[0]!, { status: 'completed', ended_at: Date.now() })
    expect(idsIn(await list('?status=ended'))).toEqual([ids[0]])
    expect(idsIn(await list('?status=open'))).not.toContain(ids[0])
  })

  it('stand by slack: blocked ones first, then the latest, page by page', async () => {
    const { expires_at: expires } = (await list(`?tenant=b`)).data[0]
    const blocked = { reason: 'paused', message: '', provider: 'openai', model: 'gpt-4', sinceMs: 1_000 }
    await write(ids[2]!, { blocked: JSON.stringify(blocked) })
    await write(ids[1]!, { estimate: (expires - 100) * 1_000 })
    await write(ids[3]!, { estimate: (expires + 100) * 1_000 })
    const inOrder = [ids[2], ids[3], ids[1], message]
    expect(idsIn(await list('?sort=slack'))).toEqual(inOrder)
    const first = await list('?sort=slack&limit=2')
    const second = await list(`?sort=slack&limit=2&cursor=${first.next_cursor}`)
    expect([...idsIn(first), ...idsIn(second)]).toEqual(inOrder)
    expect(second.next_cursor).toBeNull()
    const only = await list('?blocked=true')
    expect(only.data).toMatchObject([
      { id: ids[2], tenant: 'a', blocked: { reason: 'paused', since: 1, subject: 'openai/gpt-4' } },
    ])
  })

  it('say what is done with their lines, and nothing where that is not known', async () => {
    const id = ids[1]!
    const read = async () => (await call(api, 'GET', `/v1/admin/batches/${id}`, as('operator'))).json
    expect(await read()).toMatchObject({ total: null, waiting: null, running: null, parked: null })
    await write(id, { total: 10, fed: 6, low: 1, succeeded: 1 })
    for (const [line, state] of ['running', 'running', 'parked', 'queued', 'succeeded'].entries())
      await api.redis.hset(api.context.keys.record(batchJobId(id, line + 2)), 'state', state)
    await api.redis.rpush(api.context.keys.finishedLines(id), batchJobId(id, 6))
    expect(await read()).toMatchObject({
      ...{ id, dialect: 'openai', tenant: 'b', endpoint: '/v1/chat/completions' },
      ...{ total: 10, succeeded: 1, running: 2, parked: 1, waiting: 5, faults: [] },
    })
  })

  it('of an unknown id there is none', async () => {
    const answer = await call(
      api,
      'GET',
      `/v1/admin/batches/${ids[0]!.replace('batch_', 'msgbatch_')}`,
      as('operator'),
    )
    expect([answer.status, answer.json.error.code]).toEqual([404, 'batch_not_found'])
    const wrong = await call(api, 'GET', '/v1/admin/batches?cursor=x', as('operator'))
    expect([wrong.status, wrong.json.error.code]).toEqual([400, 'invalid_cursor'])
  })
})
