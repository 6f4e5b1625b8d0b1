import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { until } from '../../harness/until.ts'
import { configSchema } from '../../src/config/schema.ts'
import { createGenerations } from '../../src/generations.ts'
import { runningConfigs } from '../../src/health/running-configs.ts'
import { createVitals } from '../../src/health/vitals.ts'
import { rolesOf } from '../../src/named-roles.ts'
import { call } from '../api/test-api.ts'
import { testRedis } from '../support/redis.ts'

const openProcess = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'baton-test-counters-'))
  const { url: redisAt, prefix } = testRedis()
  const routes = ['m']
  const read = () => {
    const config = configSchema.parse({
      redis: { prefix },
      server: { port: 0, max_polls: 1 },
      storage: { path: folder },
      providers: { p: { type: 'openai', base_url: 'http://127.0.0.1:9/v1', api_key: 'k' } },
      models: Object.fromEntries(routes.map(name => [name, { provider: 'p' }])),
    })
    return { config, again: () => config }
  }
  let url = ''
  const write = (line: string) => {
    const { msg, ...fields } = JSON.parse(line)
    if (msg === 'api listening') url = fields.url
  }
  const generations = createGenerations({
    ...{ read, redisAt, graceMs: 5_000, log: pino({ level: 'info' }, { write }), env: {} },
    rolesOf: config => rolesOf(['api'], config),
  })
  onTestFinished(async () => {
    await generations.stop(500)
    await rm(folder, { recursive: true, force: true })
  })
  await generations.start(read(), createVitals())
  return { api: { url }, routes, generations }
}

test('what a process accepted and refused goes on over a reload', async () => {
  const { api, routes, generations } = await openProcess()
  const counts = async (): Promise<Record<string, number>> => {
    const { text } = await call(api, 'GET', '/metrics')
    const found = text.matchAll(
      /^baton_(jobs_accepted|requests_refused)_total(?:\{reason="(\w+)"\})? (\d+)$/gm,
    )
    return Object.fromEntries([...found].map(([, name, reason, value]) => [reason ?? name, Number(value)]))
  }
  const submit = async (): Promise<string> => {
    const body = { body: { model: 'm', messages: [{ role: 'user', content: 'hello' }] } }
    const { status, json } = await call(api, 'POST', '/v1/jobs', { body })
    expect(status).toBe(202)
    return json.id
  }
  /** Polls a job from twice as many connections as there are places. */
  const crowd = async (id: string): Promise<void> => {
    const leaving = new AbortController()
    const before = (await counts()).poll!
    const polls = [1, 2].map(() =>
      call(api, 'GET', `/v1/jobs/${id}`, { headers: { prefer: 'wait=60' }, signal: leaving.signal }).catch(
        () => null,
      ),
    )
    await until(async () => (await counts()).poll === before + 1)
    leaving.abort()
    await Promise.all(polls)
  }
  const id = await submit()
  await crowd(id)
  expect(await counts()).toMatchObject({ jobs_accepted: 1, poll: 1 })

  routes.push('n')
  const reload = await call(api, 'POST', '/v1/admin/reload')
  expect(reload.json.routes).toMatchObject({ added: ['n'] })
  expect(await counts()).toMatchObject({ jobs_accepted: 1, poll: 1 })
  await submit()
  await crowd(id)
  expect(await counts()).toMatchObject({ jobs_accepted: 2, poll: 2, answer: 0, connections: 0 })

  // What still ends what it has begun does not count as a process that stayed behind.
  routes.push('o')
  const { version } = await generations.reload(false)
  expect(generations.counts!.processes.map(({ retiring }) => retiring)).toEqual([undefined, true])
  expect(runningConfigs(generations.counts!.processes).map(({ config }) => config)).toEqual([version])
})
