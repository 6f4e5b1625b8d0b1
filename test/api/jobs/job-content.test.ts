import { afterEach, describe, expect, it } from 'vitest'
import { answer } from '../../jobs/store-fixture.ts'
import { call, endJob, failure, openTestApi, submitJob, type TestApi } from '../test-api.ts'

let api: TestApi
afterEach(() => api[Symbol.asyncDispose]())

const keys = { owner: 'submit', operator: 'operator' }
const api_keys = Object.entries(keys).map(([name, role]) => ({ key: name, name, tenant: name, role }))
const as = (key: string) => ({ headers: { authorization: `Bearer ${key}` } })
const read = (id: string, key: string) => call(api, 'GET', `/v1/jobs/${id}/content`, as(key))

describe('GET /v1/jobs/:id/content', () => {
  it('shows operators what a job of any tenant asks and was answered, cut', async () => {
    api = await openTestApi({ config: { api_keys, ui: { show_content: true } } })
    const body = { model: 'gpt-4', messages: [{ role: 'user', content: 'é'.repeat(70_000) }] }
    const failed = await submitJob(api, { body }, as('owner'))
    await endJob(api, failed.id, failure)
    const { json } = await read(failed.id, 'operator')
    const text = JSON.stringify(body)
    expect(json).toEqual({
      id: failed.id,
      request: { text: text.slice(0, 65_536), bytes: Buffer.byteLength(text) },
      response: null,
    })

    const good = await submitJob(api, {}, as('owner'))
    await endJob(api, good.id, answer('well'))
    const answered = (await read(good.id, 'operator')).json
    expect(answered).toMatchObject({ request: null, response: { status_code: 200, text: '{"text":"well"}' } })
    expect((await read(good.id.replace(/.{5}$/, '00000'), 'operator')).status).toBe(404)
  })

  it('is refused to those who may not, whatever the config says', async () => {
    api = await openTestApi({ config: { api_keys, ui: { show_content: true } } })
    const { id } = await submitJob(api, {}, as('owner'))
    const { status, json } = await read(id, 'owner')
    expect([status, json.error.code]).toEqual([403, 'permission_denied'])
  })

  it('is refused to all where the config does not allow it', async () => {
    api = await openTestApi({ config: { api_keys } })
    const { id } = await submitJob(api, {}, as('owner'))
    const { status, json } = await read(id, 'operator')
    expect([status, json.error.code]).toEqual([403, 'content_hidden'])
  })
})
