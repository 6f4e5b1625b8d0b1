import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createReceiverTallies } from '../../../src/webhooks/tallies.ts'
import { patience } from '../../support/patience.ts'
import { call, endJob, type Json, openTestApi, submitJob, type TestApi } from '../test-api.ts'
import { openPage } from './page-events.ts'

const secret = `whsec_${'A'.repeat(32)}`
const keys = [
  { key: 'k-ops', role: 'operator', tenant: 'ops' },
  { key: 'k-a', role: 'submit', tenant: 'a' },
  { key: 'k-b', role: 'submit', tenant: 'b' },
]
const as = (key: string) => ({ headers: { authorization: `Bearer ${key}` } })
const [down, well, quiet] = ['https://192.0.1.1', 'https://192.0.1.2', 'https://192.0.1.4']

let api: TestApi
beforeAll(async () => {
  api = await openTestApi({ config: { api_keys: keys } })
})
afterAll(() => api[Symbol.asyncDispose]())

/** A job that has ended and whose webhook fares so. */
const told = async (key: string, receiver: string, attempts: readonly object[]): Promise<string> => {
  const webhook = { url: `${receiver}/hook?token=s3cret`, secret }
  const { id } = await submitJob(api, { webhook }, as(key))
  await endJob(api, id)
  for (const [i, result] of attempts.entries())
    await api.parts.deliveries.jobs.recordDelivery(id, i, result as never)
  return id
}
const dead = (reason: string) => ({ status: 'dead', reason })
const again = (reason: string) => ({ status: 'pending', reason, nextAtMs: api.parts.now() + 60_000 })

const letters = async (query: string, key = 'k-ops'): Promise<string[]> =>
  (await call(api, 'GET', `/v1/dead-letters?${query}`, as(key))).json.data.map(({ id }: Json) => id)
const replay = (body: object, key = 'k-ops') =>
  call(api, 'POST', '/v1/dead-letters/redeliver', { ...as(key), body })

describe('receivers of webhooks', () => {
  const died: string[] = []
  beforeAll(async () => {
    for (const key of ['k-a', 'k-b', 'k-a'])
      died.push(await told(key, down, [again('timeout'), dead('status_503')]))
    died.push(await told('k-a', well, [dead('gone_410')]))
    await told('k-b', down, [again('connect')])
    await told('k-b', well, [])
    const tallies = createReceiverTallies({ redis: api.redis, prefix: api.prefix, now: api.parts.now })
    for (const isDelivered of [true, true, false]) tallies.note(quiet, isDelivered)
    await tallies.flush()
    tallies.note(quiet, true)
    await tallies.flush()
  })

  it('are listed by their origins, with what waits and what was given up', async () => {
    const { json } = await call(api, 'GET', '/v1/admin/webhooks', as('k-ops'))
    expect(json).toEqual({
      ...{ object: 'list', complete: true, read_at: expect.any(Number) },
      data: [
        {
          ...{ receiver: down, waiting: 1, dead: 3, last_reason: 'connect', last_status: null },
          ...{ oldest_at: expect.any(Number), failing_since: expect.any(Number) },
          ...{ next_at: expect.any(Number), last_died_at: expect.any(Number), delivered: 0, failed: 0 },
        },
        expect.objectContaining({ receiver: well, dead: 1, failing_since: null }),
        expect.objectContaining({ receiver: quiet, dead: 0, waiting: 0, delivered: 3, failed: 1 }),
      ],
    })
    expect(json.data[1]).toMatchObject({ last_reason: 'gone_410', last_status: 410 })
    expect(JSON.stringify(json)).not.toContain('s3cret')
    expect((await call(api, 'GET', '/v1/admin/webhooks', as('k-a'))).status).toBe(403)
  })

  it('have dead letters that are found by receiver, reason, time and tenant', async () => {
    expect((await letters('tenant=*')).toSorted()).toEqual(died.toSorted())
    expect((await letters(`tenant=*&receiver=${down}`)).toSorted()).toEqual(died.slice(0, 3).toSorted())
    expect(await letters('tenant=*&reason=gone_410')).toEqual([died[3]])
    expect(await letters('tenant=b')).toEqual([died[1]])
    expect(await letters('')).toEqual([])
    const now = api.parts.now() / 1_000
    expect(await letters(`tenant=*&until=${now - 3_600}`)).toEqual([])
    expect(await letters(`tenant=*&since=${now + 3_600}`)).toEqual([])
    expect(await letters(`tenant=*&since=${now - 3_600}&until=${now + 3_600}`)).toHaveLength(4)
    const first = (await call(api, 'GET', `/v1/dead-letters?tenant=*&receiver=${down}&limit=2`, as('k-ops')))
      .json
    expect(first).toMatchObject({ has_more: true, data: [{ tenant: expect.any(String) }, {}] })
    expect(await letters(`tenant=*&receiver=${down}&after=${first.next_cursor}`)).toHaveLength(1)
    expect(await letters(`receiver=${well}`, 'k-a')).toEqual([died[3]])
    expect((await call(api, 'GET', '/v1/dead-letters?tenant=b', as('k-a'))).status).toBe(403)
  })

  it('get all of theirs again, if there are as many as was said', async () => {
    expect((await replay({ receiver: down }, 'k-a')).status).toBe(403)
    expect(await replay({ receiver: down, expected_count: 2 })).toMatchObject({
      status: 409,
      json: { error: { code: 'count_changed', param: 'expected_count' } },
    })
    expect(await letters('tenant=*')).toHaveLength(4)
    expect(await replay({ receiver: down, expected_count: 1, tenant: 'b' })).toMatchObject({
      status: 202,
      json: { receiver: down, redelivered: 1, next_cursor: null },
    })
    expect((await replay({ receiver: down, died_before: 1 })).json).toMatchObject({ redelivered: 0 })
    expect((await replay({ receiver: down, expected_count: 2 })).json).toMatchObject({ redelivered: 2 })
    expect(await letters('tenant=*')).toEqual([died[3]])
    expect((await replay({ receiver: down, cursor: 'x' })).json.error).toMatchObject({
      code: 'invalid_cursor',
    })
    const noted = async () => (await call(api, 'GET', '/v1/admin/overview', as('k-ops'))).json.actions[0]
    await expect.poll(noted, patience).toMatchObject({ action: 'webhook.replay_all', subject: down })
  })

  it('get one of theirs again from an operator, whoever owns it', async () => {
    const path = `/v1/dead-letters/${died[3]}/redeliver`
    expect((await call(api, 'POST', path, as('k-b'))).json.error.code).toBe('delivery_not_found')
    expect(await call(api, 'POST', path, as('k-ops'))).toMatchObject({ status: 202, json: { id: died[3] } })
    expect((await call(api, 'POST', path, as('k-ops'))).json.error.code).toBe('delivery_not_found')
    expect(await letters('tenant=*')).toEqual([])
  })
})

describe('the topic `webhooks`', () => {
  it('tells of receivers as their list does, and of what changes', async () => {
    await using page = await openPage(api.url, 'webhooks', as('k-ops').headers)
    await expect.poll(() => page.count('snapshot'), patience).toBe(1)
    expect(page.last('snapshot')).toEqual({
      webhooks: expect.objectContaining({ object: 'list', complete: true }),
    })
    await told('k-a', 'https://192.0.1.3', [dead('status_500')])
    const receivers = () => page.last('webhooks')?.data.map(({ receiver }: Json) => receiver)
    await expect.poll(receivers, patience).toContain('https://192.0.1.3')
  })
})

describe('many dead letters of a receiver', () => {
  it('are sent again in steps, each once, and those that die meanwhile are not', async () => {
    await using own = await openTestApi()
    const ids: string[] = []
    const die = async (): Promise<string> => {
      const { id } = await submitJob(own, { webhook: { url: `${down}/`, secret } })
      await endJob(own, id)
      await own.parts.deliveries.jobs.recordDelivery(id, 0, dead('status_500') as never)
      return id
    }
    for (let i = 0; i < 510; i += 30) ids.push(...(await Promise.all(Array.from({ length: 30 }, die))))
    const step = async (more: object) =>
      (await call(own, 'POST', '/v1/dead-letters/redeliver', { body: { receiver: down, ...more } })).json
    const first = await step({ expected_count: 510 })
    expect(first).toMatchObject({ redelivered: 500, next_cursor: expect.any(String) })
    const late = await die()
    expect(await step({ cursor: first.next_cursor })).toMatchObject({ redelivered: 10, next_cursor: null })
    const left = (await call(own, 'GET', '/v1/dead-letters')).json.data
    expect(left.map(({ id }: Json) => id)).toEqual([late])
  })
})
