import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { line } from '../../batches/batch-desk.ts'
import { patience } from '../../support/patience.ts'
import { type BatchApi, openBatchApi } from '../batch-deployment.ts'
import { path } from '../message-batch-calls.ts'
import { type Answer, call, type Json } from '../test-api.ts'

let api: BatchApi
beforeAll(async () => {
  const keys = ['right', { key: 'other', tenant: 'theirs' }, { key: 'ops', role: 'operator' as const }]
  api = await openBatchApi({ config: { api_keys: keys } })
})
afterAll(() => api[Symbol.asyncDispose]())

const as = (key = 'right', more = {}) => ({ headers: { authorization: `Bearer ${key}`, ...more } })
const row = (customId: string, model: string) => ({
  custom_id: customId,
  params: { model, max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] },
})
const read = async (id: string): Promise<Json> => (await call(api, 'GET', `${path}/${id}`, as())).json
const ended = async (id: string): Promise<Json> => {
  await expect.poll(async () => (await read(id)).processing_status, patience).toBe('ended')
  return read(id)
}
const made = async (requests: object[], more: object = {}): Promise<Json> => {
  const { json } = await call(api, 'POST', path, { ...as(), body: { requests, ...more } })
  return ended(json.id)
}
const retry = (id: string, body?: object, headers = {}, key = 'right'): Promise<Answer> =>
  call(api, 'POST', `${path}/${id}/retry`, { ...as(key, headers), ...(body && { body }) })
const results = async (id: string): Promise<Json[]> => {
  const answer = await fetch(`${api.url}${path}/${id}/results`, as())
  return (await answer.text()).split('\n').flatMap(text => (text === '' ? [] : [JSON.parse(text)]))
}
const failures = async (id: string, query = ''): Promise<Json> =>
  (await call(api, 'GET', `/v1/admin/batches/${id}/failures${query}`, as('ops'))).json

const mixed = [row('a', 'plain'), row('b', 'fail-400'), row('c', 'plain'), row('d', 'fail-400')]

describe('POST /v1/messages/batches/{id}/retry', () => {
  it('makes a batch of the requests that have no answer', async () => {
    const first = await made(mixed, { completion_window: '2h' })
    expect(first.request_counts).toMatchObject({ succeeded: 2, errored: 2 })
    const { status, json } = await retry(first.id)
    expect(status).toBe(200)
    expect(json).toMatchObject({ type: 'message_batch', retry_of: first.id })
    expect(Date.parse(json.expires_at) - Date.parse(json.created_at)).toBe(7_200_000)
    await ended(json.id)
    expect((await results(json.id)).map(({ custom_id }) => custom_id).toSorted()).toEqual(['b', 'd'])
    // Its own requests are kept as well.
    const third = await retry(json.id, { completion_window: '3h' })
    expect(third.json.request_counts.processing).toBe(2)
  })

  it('takes up what a cancelled batch left', async () => {
    const { json } = await call(api, 'POST', path, {
      ...as(),
      body: { requests: [row('x', 'hang'), row('y', 'hang')] },
    })
    await call(api, 'POST', `${path}/${json.id}/cancel`, as())
    expect((await ended(json.id)).request_counts).toMatchObject({ canceled: 2 })
    const again = await retry(json.id)
    expect(again.json.request_counts).toMatchObject({ processing: 2 })
    await call(api, 'POST', `${path}/${again.json.id}/cancel`, as())
  })

  it('is the same batch when it is sent again', async () => {
    const { id } = await made(mixed)
    const key = { 'idempotency-key': 'again' }
    const first = await retry(id, {}, key)
    const second = await retry(id, {}, key)
    expect(second.json.id).toBe(first.json.id)
    expect(second.headers.get('idempotent-replayed')).toBe('true')
    expect((await retry(id)).json.id).not.toBe(first.json.id)
  })

  it('is refused where there is nothing to retry', async () => {
    const well = await made([row('a', 'plain')])
    const codeOf = ({ json }: Answer): string => json.error.details.error_code
    expect(codeOf(await retry(well.id))).toBe('batch_not_retryable')
    const { json } = await call(api, 'POST', path, { ...as(), body: { requests: [row('h', 'hang')] } })
    expect(codeOf(await retry(json.id))).toBe('batch_not_retryable')
    await call(api, 'POST', `${path}/${json.id}/cancel`, as())
    const bad = await made(mixed)
    expect(codeOf(await retry(bad.id, undefined, {}, 'other'))).toBe('batch_not_found')
    expect(codeOf(await retry(bad.id, { metadata: {} }))).toMatch(/^(invalid|unknown)/)
    await call(api, 'DELETE', `${path}/${bad.id}`, as())
    expect(codeOf(await retry(bad.id))).toBe('batch_not_found')
  })
})

describe('GET /v1/admin/batches/{id}/failures', () => {
  it('counts what failed of a message batch by code, and shows its lines', async () => {
    const { id } = await made(mixed)
    const shown = await failures(id)
    expect(shown).toMatchObject({ complete: true, next_cursor: null })
    expect(shown.codes).toEqual([
      { code: 'invalid_request_error', count: 2, example: expect.objectContaining({ line: null }) },
    ])
    expect(shown.data.map(({ custom_id }: Json) => custom_id).toSorted()).toEqual(['b', 'd'])
  })

  it('goes on page by page, and by code', async () => {
    const upload = new FormData()
    upload.append('purpose', 'batch')
    const lines = ['1', '2', '3'].map(name => line(name, 'fail-400')).join('')
    upload.append('file', new Blob([lines + line('4', 'plain')]), 'input.jsonl')
    const file = await (await fetch(`${api.url}/v1/files`, { ...as(), method: 'POST', body: upload })).json()
    const order = {
      input_file_id: (file as Json).id,
      ...{ endpoint: '/v1/chat/completions', completion_window: '24h' },
    }
    const { id } = (await call(api, 'POST', '/v1/batches', { ...as(), body: order })).json
    const status = async () => (await call(api, 'GET', `/v1/batches/${id}`, as())).json.status
    await expect.poll(status, patience).toBe('completed')
    const [first, all] = [await failures(id, '?limit=2'), await failures(id)]
    const rest = await failures(id, `?limit=2&cursor=${first.next_cursor}`)
    expect([...first.data, ...rest.data]).toEqual(all.data)
    expect([all.data.length, rest.next_cursor, rest.codes]).toEqual([3, null, []])
    expect(all.codes).toMatchObject([{ count: 3, example: all.data[0] }])
    expect(all.data.map((each: Json) => each.line).toSorted()).toEqual([1, 2, 3])
    expect(all.data[0]).toMatchObject({ status_code: 400, code: expect.any(String) })
    expect((await failures(id, '?code=none')).data).toEqual([])
    expect((await failures(id, `?code=${all.data[0].code}`)).data).toHaveLength(3)
  })
})
