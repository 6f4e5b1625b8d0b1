import { randomInt, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../../harness/until.ts'
import type { Claim } from '../../../src/jobs/types.ts'
import { call, endJob, failure, type Json, openTestApi, submitJob, type TestApi } from '../test-api.ts'

let api: TestApi
/** All jobs as `view=row` shows them, with their metadata and provider, newest first. */
const jobs: Json[] = []

const as = (key: string) => ({ headers: { authorization: `Bearer ${key}` } })
const pick = <Value>(values: readonly Value[]): Value => values[randomInt(values.length)]!

beforeAll(async () => {
  const keys = { owner: 'submit', other: 'submit', operator: 'operator' }
  const api_keys = Object.entries(keys).map(([name, role]) => ({ key: name, tenant: name, role }))
  // One of the two keys is indexed, so filters by both ask entries and records.
  api = await openTestApi({ config: { api_keys, jobs: { lease: '10m', indexed_metadata: ['team'] } } })
  for (let i = 0; i < 120; i++) {
    const tenant = pick(['owner', 'other', 'operator'])
    const metadata = { team: pick(['a', 'b', 'say "hi"']), 'dotted.key': pick(['1', '2']) }
    const headers = { ...as(tenant).headers, 'idempotency-key': randomUUID() }
    const body = { model: pick(['gpt-4', 'claude']), messages: [{ role: 'user', content: 'hi' }] }
    const { id } = await submitJob(api, { body, metadata }, { headers })
    const end = pick(['none', 'run', 'park', 'succeed', 'fail', 'cancel', 'forget'])
    if (end === 'run' || end === 'park') {
      const claim = (await api.parts.store.claim(id, 0, 0, 'w1')) as Claim
      const stay = { hop: 0, generation: 1, target: claim.target, attemptsSpent: 0, attempts: [] }
      if (end === 'park') await api.parts.store.park(claim, stay, Date.now() + 600_000)
    }
    if (end === 'succeed') await endJob(api, id)
    if (end === 'fail') await endJob(api, id, failure)
    if (end === 'cancel') await api.parts.store.cancel(id)
    if (end === 'forget') await api.redis.del(...(await api.redis.keys(`${api.prefix}:*:j:${id}`)))
    else jobs.unshift({ ...(await call(api, 'GET', `/v1/jobs/${id}`, as(tenant))).json, tenant })
  }
})
afterAll(() => api[Symbol.asyncDispose]())

const walk = async (query: URLSearchParams, key: string): Promise<Json[]> => {
  const rows: Json[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const at = cursor && `&cursor=${cursor}`
    const { status, json } = await call(api, 'GET', `/v1/jobs?${query}&limit=7${at}`, as(key))
    expect([status, json.error]).toEqual([200, undefined])
    rows.push(...json.data)
    cursor = json.next_cursor
  }
  return rows
}

type Field = readonly [name: string, values: readonly string[], wants: (job: Json, value: string) => boolean]

const fields: readonly Field[] = [
  [
    'status',
    [
      'failed',
      'succeeded',
      'cancelled,failed',
      'queued',
      'running',
      'parked',
      'parked,running',
      'queued,running',
    ],
    (job, v) => v.split(',').includes(job.status),
  ],
  ['route', ['gpt-4', 'claude', 'gpt'], (job, v) => job.model === v],
  ['provider', ['openai', 'anthropic', 'open'], (job, v) => job.provider === v],
  ['error_code', ['cancelled', 'attempts_exhausted'], (job, v) => job.error?.code === v],
  ['metadata.team', ['a', 'say "hi"', 'say'], (job, v) => job.metadata.team === v],
  ['metadata.dotted.key', ['1'], (job, v) => job.metadata['dotted.key'] === v],
  ['tenant', ['owner', 'nobody'], (job, v) => job.tenant === v],
  ['created_from', ['0', '99999999999'], (job, v) => job.created_at >= Number(v)],
  ['created_to', ['1', '99999999999'], (job, v) => job.created_at < Number(v)],
]

/** A count ends after a quarter of a second, which may pass while the machine does something else. */
const countExactly = async (query: URLSearchParams, role: Parameters<typeof as>[0]): Promise<number> =>
  (
    await until(async () => {
      const { json } = await call(api, 'GET', `/v1/jobs/count?${query}`, as(role))
      return json.exact && (json as { readonly count: number })
    })
  ).count

describe('the filters of GET /v1/jobs', () => {
  it('find what a look at every job finds, in its order', async () => {
    const found = new Set<string>()
    const alone = fields.map(field => [field])
    const mixed = Array.from({ length: 60 }, () => fields.filter(() => randomInt(3) === 0))
    for (const asked of [...alone, ...mixed]) {
      const query = new URLSearchParams({ tenant: '*', view: 'row' })
      let expected = jobs
      for (const [name, values, wants] of asked) {
        const value = pick(values)
        query.set(name, value)
        expected = expected.filter(job => wants(job, value))
      }
      const rows = await walk(query, 'operator')
      expect([`${query}`, rows.map(row => row.id)]).toEqual([`${query}`, expected.map(job => job.id)])
      for (const { id } of rows) found.add(id)
      query.delete('view')
      // Entries of records that somebody removed stay for a while.
      expect(await countExactly(query, 'operator')).toBeGreaterThanOrEqual(rows.length)
    }
    expect(found.size).toBe(jobs.length)
  })

  it("show a client its own tenant's jobs alone", async () => {
    const rows = await walk(new URLSearchParams({ status: 'succeeded', view: 'row' }), 'owner')
    const own = jobs.filter(({ tenant, status }) => tenant === 'owner' && status === 'succeeded')
    expect(rows.map(({ id }) => id)).toEqual(own.map(({ id }) => id))
    expect(rows[0]).toEqual({
      ...{ id: own[0].id, status: 'succeeded', route: own[0].model, tenant: 'owner', batch_id: null },
      target: `${own[0].provider}/${own[0].upstream_model}`,
      ...{ created_at: own[0].created_at, finished_at: own[0].finished_at, attempts: 1 },
      ...{ error_code: null, cost_usd: own[0].cost_usd },
    })
  })

  it.each([
    ['tenant=other', 403, 'permission_denied'],
    ['tenant=*', 403, 'permission_denied'],
    ['status=gone', 400, 'invalid_request'],
    ['status=failed,', 400, 'invalid_request'],
    ['error_code=no_such', 400, 'invalid_request'],
    ['created_from=yesterday', 400, 'invalid_request'],
    ['batch=1', 400, 'invalid_request'],
    ['colour=red', 400, 'invalid_request'],
    ['metadata=a', 400, 'invalid_request'],
  ])('refuse %s', async (query, status, code) => {
    const answer = await call(api, 'GET', `/v1/jobs?${query}`, as('owner'))
    expect([answer.status, answer.json.error?.code]).toEqual([status, code])
  })

  it('count what the list has, each tenant its own', async () => {
    const of = (status: string) =>
      jobs.filter(job => job.tenant === 'owner' && job.status === status && job.metadata.team === 'a')
    for (const status of ['succeeded', 'failed', 'cancelled']) {
      const query = new URLSearchParams({ status, 'metadata.team': 'a' })
      expect(await countExactly(query, 'owner')).toBe(of(status).length)
    }
    expect((await call(api, 'GET', '/v1/jobs/count?tenant=*', as('owner'))).status).toBe(403)
    expect((await call(api, 'GET', '/v1/jobs/count?limit=5', as('owner'))).status).toBe(400)
  })
})
