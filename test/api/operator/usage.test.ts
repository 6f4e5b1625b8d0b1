import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, endJob, failure, type Json, openTestApi, submitJob, type TestApi } from '../test-api.ts'

let api: TestApi
beforeAll(async () => {
  api = await openTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

const read = async (query: string): Promise<Json> => (await call(api, 'GET', `/v1/usage?${query}`)).json

/** 2025-03-01, 00:00 UTC, in hours. */
const midnight = Date.UTC(2025, 2, 1) / 3_600_000
const around = `from=${(midnight - 3) * 3_600}&to=${(midnight + 3) * 3_600}`

const count = (shard: number, hour: number, name: string, amounts: Record<string, number>) =>
  api.redis.hset(
    api.context.keys.usage(shard, hour),
    Object.fromEntries(Object.entries(amounts).map(([kind, amount]) => [`${kind}${name}`, amount])),
  )

describe('GET /v1/usage', () => {
  beforeAll(async () => {
    await count(0, midnight - 1, 'openai/a\nchat', { r: 2, i: 10, c: 4, o: 6, d: 150_000_000, f: 1 })
    await count(7, midnight - 1, 'openai/a\nchat', { r: 1, i: 5, d: 1 })
    await count(7, midnight, 'anthropic/b\nchat', { r: 1, u: 1 })
    await count(3, midnight + 3, 'openai/a\nchat', { r: 100 })
  })

  const none = { requests: 1, failed: 0, input_tokens: 0, cached_tokens: 0, output_tokens: 0, unpriced: 0 }
  const evening = {
    ...{ requests: 3, failed: 1, input_tokens: 15, cached_tokens: 4, output_tokens: 6 },
    ...{ cost_usd: 1.50000001, unpriced: 0 },
  }
  const unpriced = { ...none, cost_usd: null, unpriced: 1 }

  it('sums the shards by day and group', async () => {
    expect(await read(around)).toEqual({
      ...{ from: (midnight - 3) * 3_600, to: (midnight + 3) * 3_600, time_zone: 'UTC', cut_at: 'zone' },
      total: { ...evening, requests: 4, unpriced: 1 },
      data: [
        { day: '2025-02-28', group: 'chat', ...evening },
        { day: '2025-03-01', group: 'chat', ...unpriced },
      ],
    })
    const groupsBy = async (by: string) =>
      (await read(`${around}&group_by=${by}`)).data.map(({ group }: Json) => group)
    expect(await groupsBy('provider')).toEqual(['openai', 'anthropic'])
    expect(await groupsBy('model')).toEqual(['openai/a', 'anthropic/b'])
    expect(await groupsBy('day')).toEqual(['2025-02-28', '2025-03-01'])
  })

  it('has days of a time zone, cut at hours of UTC', async () => {
    const berlin = await read(`${around}&tz=Europe/Berlin`)
    expect([berlin.cut_at, berlin.data.length, berlin.data[0].day]).toEqual(['zone', 1, '2025-03-01'])
    const kolkata = await read(`${around}&tz=Asia/Kolkata`)
    expect([kolkata.cut_at, kolkata.data.length]).toEqual(['utc_hour', 1])
    const york = await read(`${around}&tz=America/New_York`)
    expect(york.data.map(({ day }: Json) => day)).toEqual(['2025-02-28'])
  })

  it('has what jobs used as they end', async () => {
    const jobs = [await submitJob(api), await submitJob(api)]
    await endJob(api, jobs[0]!.id, { usage: { input_tokens: 3, output_tokens: 2 }, costUsd: 0.25 })
    await endJob(api, jobs[1]!.id, failure)
    const { data, total } = await read('group_by=day')
    expect(total).toMatchObject({ requests: 2, failed: 1, cost_usd: expect.any(Number) })
    expect(data).toHaveLength(1)
  })

  it.each([
    'from=10&to=5',
    `from=0&to=${93 * 86_400}`,
    'tz=Nowhere/Town',
    'group_by=tenant',
    'from=yesterday',
  ])('refuses %s', async query => {
    const { status, json } = await call(api, 'GET', `/v1/usage?${query}`)
    expect([status, json.error.code]).toEqual([400, 'invalid_request'])
  })
})
