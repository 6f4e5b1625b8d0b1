import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { patience } from '../../support/patience.ts'
import { call, endJob, failure, type Json, openTestApi, submitJob, type TestApi } from '../test-api.ts'
import { openPage } from './page-events.ts'

const keys = [
  { key: 'k-ada', role: 'operator', name: 'ada' },
  { key: 'k-nameless', role: 'operator', tenant: 'team' },
  { key: 'k-client', role: 'submit' },
]
const as = (key: string) => ({ headers: { authorization: `Bearer ${key}` } })
let api: TestApi
beforeAll(async () => {
  api = await openTestApi({ config: { api_keys: keys } })
})
afterAll(() => api[Symbol.asyncDispose]())

const post = (path: string, key: string, body?: unknown) =>
  call(api, 'POST', path, { ...as(key), ...(body !== undefined && { body }) })
const noted = async (): Promise<Json[]> =>
  (await call(api, 'GET', '/v1/admin/overview', as('k-ada'))).json.actions

describe('what operators do', () => {
  it('is noted with who did it, on what and why, and told to open pages', async () => {
    await using page = await openPage(api.url, 'overview', as('k-nameless').headers)
    const answer = await post('/v1/providers/openai/pause', 'k-ada', { note: 'vendor says so' })
    expect(answer.json.paused).toEqual({ at: expect.any(Number), by: 'ada', note: 'vendor says so' })
    const pause = { by: 'ada', action: 'provider.pause', subject: 'openai', note: 'vendor says so' }
    await expect.poll(() => page.last('action'), patience).toMatchObject(pause)
    const resumed = await post('/v1/providers/openai/resume', 'k-nameless')
    expect(resumed.json.paused).toBeNull()
    await expect
      .poll(() => page.last('action'), patience)
      .toMatchObject({ by: 'team', action: 'provider.resume' })
    expect(await noted()).toMatchObject([{ action: 'provider.resume', note: null }, pause])
  })

  it('is noted of jobs as well, but not what their clients do', async () => {
    const own = await submitJob(api, {}, as('k-client'))
    await post(`/v1/jobs/${own.id}/cancel`, 'k-client')
    const job = await submitJob(api, {}, as('k-ada'))
    await endJob(api, job.id, failure)
    await post(`/v1/jobs/${job.id}/retry`, 'k-ada')
    await expect
      .poll(async () => (await noted())[0], patience)
      .toMatchObject({ action: 'job.retry', subject: job.id, by: 'ada' })
    expect((await noted()).map(({ subject }) => subject)).not.toContain(own.id)
  })

  it('is not noted when it was refused', async () => {
    expect(await post('/v1/providers/openai/pause', 'k-ada', { note: 7 })).toMatchObject({
      status: 400,
      json: { error: { code: 'invalid_request', param: 'note' } },
    })
    await post('/v1/providers/nobody/pause', 'k-ada')
    await post('/v1/providers/anthropic/pause', 'k-ada')
    await expect.poll(async () => (await noted())[0].subject, patience).toBe('anthropic')
    expect((await noted()).filter(({ action }) => action === 'provider.pause')).toHaveLength(2)
  })

  it('is kept for the last 200 only', async () => {
    const action = { atMs: 1_000, by: 'ada', action: 'job.cancel', subject: 'job', note: null }
    for (let i = 0; i < 210; i++) await api.parts.operatorLog.add(action)
    expect(await api.parts.operatorLog.newest(1_000)).toHaveLength(200)
  })
})
