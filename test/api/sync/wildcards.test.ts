import type { Redis } from 'ioredis'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../../harness/until.ts'
import { createApiRedis } from '../../../src/redis/connect.ts'
import { createSimProvider, type SimProvider } from '../../../src/sim/sim-provider.ts'
import { type BatonApi, openBaton } from '../../support/open-baton.ts'
import { testRedis } from '../../support/redis.ts'
import { call } from '../test-api.ts'

/** Ids differ in case and digits alone; what is looked for is the name in the middle. */
const made = (i: number): string => `made-up-${i}`

let first: SimProvider
let second: SimProvider
let baton: BatonApi
let redis: Redis
const { url: redisUrl, prefix } = testRedis()

beforeAll(async () => {
  first = createSimProvider({ models: ['gpt-5.4', 'named', 'bad name'], journal: true })
  second = createSimProvider({ models: ['openai/gpt-5.4', 'other'], journal: true })
  await Promise.all([first.start(), second.start()])
  const provider = (sim: SimProvider) => ({ type: 'openai', base_url: `${sim.url}/v1`, api_key: 'k' })
  baton = await openBaton({
    level: 'api',
    ...{ redisUrl, prefix, batches: true },
    config: {
      providers: { openai: provider(first), router: provider(second) },
      models: {
        'openai/*': { provider: 'openai', fallback_to: 'router/openai/*' },
        'router/*': { provider: 'router' },
        named: { provider: 'openai', upstream_model: 'named' },
      },
      aliases: { best: 'openai/gpt-5.4', mine: 'named' },
    },
  })
  redis = createApiRedis(redisUrl, pino({ level: 'silent' })) as Redis
})
afterAll(async () => {
  redis.disconnect()
  await baton.stop()
  await Promise.all([first.stop(), second.stop()])
})

const chat = (model: string) =>
  call(baton, 'POST', '/v1/chat/completions', {
    body: { model, messages: [{ role: 'user', content: 'hi' }] },
  })

describe('wildcard routes', () => {
  it('carry what the star stands for to the provider, by every door', async () => {
    expect((await chat('openai/gpt-5.4')).json.model).toBe('gpt-5.4')
    const message = await call(baton, 'POST', '/v1/messages', {
      body: { model: 'openai/org/gpt-5.4', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] },
    })
    expect([message.status, message.json.model]).toEqual([200, 'org/gpt-5.4'])
    const job = await call(baton, 'POST', '/v1/jobs', {
      body: { body: { model: 'router/other', messages: [{ role: 'user', content: 'hi' }] } },
    })
    expect(job.status).toBe(202)
    const ended = await call(baton, 'GET', `/v1/jobs/${job.json.id}`, { headers: { prefer: 'wait=20' } })
    expect(ended.json).toMatchObject({ status: 'succeeded', model: 'router/other', upstream_model: 'other' })
  })

  it('hand over to the same of another vendor', async () => {
    // A script for the first, which answers 404; a name like any other for the second.
    const answer = await chat('openai/fail-404')
    expect([answer.status, answer.json.model]).toEqual([200, 'openai/fail-404'])
    expect(answer.headers.get('x-baton-provider')).toBe('router')
  })

  it('a name that nobody knows is told to the client, not waited for', async () => {
    const answer = await chat('router/fail-404')
    expect([answer.status, answer.json.error.type]).toEqual([404, 'invalid_request_error'])
  })

  it('take a batch', async () => {
    const line = (id: string, model: string): string =>
      JSON.stringify({
        custom_id: id,
        method: 'POST',
        url: '/v1/chat/completions',
        body: { model, messages: [{ role: 'user', content: 'hi' }] },
      })
    const form = new FormData()
    form.set('purpose', 'batch')
    form.set('file', new Blob([`${line('a', 'router/x')}\n${line('b', 'mine')}\n`]), 'in.jsonl')
    const file = (await (await fetch(`${baton.url}/v1/files`, { method: 'POST', body: form })).json()) as {
      id: string
    }
    const batch = await call(baton, 'POST', '/v1/batches', {
      body: { input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h' },
    })
    const done = await until(async () => {
      const { json } = await call(baton, 'GET', `/v1/batches/${batch.json.id}`)
      return json.status === 'completed' ? json : undefined
    })
    expect(done.request_counts).toMatchObject({ total: 2, completed: 2 })
  })

  it('an alias is the route, by its own name', async () => {
    const answer = await call(baton, 'POST', '/v1/jobs', {
      body: { body: { model: 'mine', messages: [{ role: 'user', content: 'hi' }] } },
    })
    expect(answer.json.model).toBe('named')
  })

  it('are listed by what their providers list, where nothing else has that name', async () => {
    const { json } = await call(baton, 'GET', '/v1/models')
    expect(json.data.map(({ id }: { id: string }) => id)).toEqual([
      ...['named', 'best', 'mine', 'openai/gpt-5.4', 'openai/named', 'router/openai/gpt-5.4', 'router/other'],
    ])
    for (const [id, status] of [
      ['openai/gpt-5.4', 200],
      ['router/openai/gpt-5.4', 200],
      ['best', 200],
      ['openai/no-such-model', 404],
      ['openai/*', 404],
      ['elsewhere/gpt-5.4', 404],
    ] as const)
      expect([id, (await call(baton, 'GET', `/v1/models/${id}`)).status]).toEqual([id, status])
  })

  it.each([
    'openai/*',
    'openai/',
    'openai/../../v1/files',
    'openai/x?y',
    'openai/a b',
    `openai/${'x'.repeat(300)}`,
  ])('nobody may ask for %s', async model => {
    const before = first.journal!.length
    expect((await chat(model)).json.error.code).toBe('unknown_model')
    expect(first.journal).toHaveLength(before)
  })

  it('keep nothing by names that clients make up: no label, no cooldown, no limit', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, i) => chat(`openai/${made(i)}`)))
    await Promise.all(Array.from({ length: 5 }, (_, i) => chat(`router/unknown-modelx${i + 1}`)))
    const metrics = (await call(baton, 'GET', '/metrics')).text
    expect(metrics).toContain('model="*"')
    expect(metrics).toContain('route="openai/*"')
    expect(metrics).not.toMatch(/made-up|fail-404|unknown-model/)
    const keys = await redis.keys(`${prefix}*`)
    expect(keys.filter(key => /made-up|fail-404/.test(key))).toEqual([])
    expect(Object.keys(await redis.hgetall(`${prefix}:{health}:board`))).toEqual([])
    // One that made up a name takes nothing from others.
    expect((await chat('router/fine')).status).toBe(200)
  })

  it('an hour counts no more names than there is room for', async () => {
    const [, hour] = /:usage:(\d+)/.exec((await redis.keys(`${prefix}*usage:*`)).toSorted().at(-1)!)!
    // Each shard counts by itself. The next hour may begin meanwhile.
    const hours = Array.from(
      { length: 32 },
      (_, i) => `${prefix}:{${i % 16}}:usage:${Number(hour) + (i >> 4)}`,
    )
    const many = Object.fromEntries(Array.from({ length: 2_101 }, (_, i) => [`rrouter/${i}\nmany`, 1]))
    for (const hour of hours) await redis.hset(hour, many)
    await chat('router/one-too-many')
    const fields = (await Promise.all(hours.map(hour => redis.hkeys(hour)))).flat()
    expect(fields.filter(field => field.includes('one-too-many'))).toEqual([])
    expect(fields).toContain('rrouter/*\n*')
  })

  it('their jobs are found by the name with the star', async () => {
    const found = async (route: string): Promise<string[]> => {
      const { json } = await call(baton, 'GET', `/v1/jobs?limit=100&route=${encodeURIComponent(route)}`)
      return json.data.map(({ model }: { model: string }) => model)
    }
    expect(await found('router/*')).toContain('router/other')
    expect((await found('router/*')).filter(model => !model.startsWith('router/'))).toEqual([])
    expect(await found('router/oth*')).toEqual(['router/other'])
    const { json } = await call(baton, 'GET', '/v1/jobs/count?route=router/oth*')
    expect(json.count).toBe(1)
    expect(await found('router')).toEqual([])
  })

  it('stand among the routes as the config has them', async () => {
    const { json } = await call(baton, 'GET', '/v1/routes')
    expect(json.data.map(({ id }: { id: string }) => id)).toEqual(['openai/*', 'router/*', 'named'])
    expect(json.data[0].targets).toMatchObject([
      { provider: 'openai', model: '*' },
      { provider: 'router', model: 'openai/*' },
    ])
  })
})
