import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { type Deployment, openDeployment } from '../../harness/deployment.ts'
import { until } from '../../harness/until.ts'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { runHere } from '../cli/command.ts'
import { ownRedis, testRedis } from '../support/redis.ts'

const boss = { authorization: 'Bearer boss' }
let sims: SimProvider[]
let site: Deployment
let base: object

const at = (sim: SimProvider) => ({ type: 'openai', base_url: `${sim.url}/v1`, api_key: 'k' })
const keys = (...names: string[]) => [
  { key: 'boss', role: 'operator' },
  ...names.map(key => ({ key, role: 'submit' })),
]
beforeEach(async () => {
  sims = [createSimProvider(), createSimProvider()]
  for (const sim of sims) await sim.start()
  base = { redis: testRedis(), server: { port: 0 } }
})
afterEach(async () => {
  await site.close()
  for (const sim of sims) await sim.stop()
})

const first = () => ({
  ...base,
  api_keys: keys('old'),
  providers: { p: at(sims[0]!) },
  models: { m: { provider: 'p' } },
})
const second = () => ({
  ...base,
  api_keys: keys('new'),
  providers: { q: at(sims[1]!) },
  models: { m: { provider: 'q' }, n: { provider: 'q' } },
})
const write = (config: object) => writeFile(join(site.dir, 'baton.yaml'), JSON.stringify(config))

const chat = async (url: string, key: string, model = 'm') => {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hello' }] }),
  })
  await answer.text()
  return answer.status
}
interface Answer {
  readonly error?: { readonly code: string; readonly message: string }
}
const reload = async (url: string) => {
  const answer = await fetch(`${url}/v1/admin/reload`, { method: 'POST', headers: boss })
  return { status: answer.status, body: (await answer.json()) as Answer }
}
const calls = () => sims.map(sim => sim.calls.calls)

describe('a config that changes while a process runs', () => {
  test('everything in one process moves over to it: keys, routes and providers', async () => {
    site = await openDeployment(first())
    const baton = site.run()
    const { url } = (await baton.logged('api listening')) as unknown as { url: string }
    await baton.logged('started')
    expect(await chat(url, 'old')).toBe(200)
    expect(await chat(url, 'new')).toBe(401)
    await write(second())
    const { status, body } = await reload(url)
    expect(status).toBe(200)
    expect(body).toMatchObject({
      providers: { added: ['q'], changed: [], removed: ['p'] },
      routes: { added: ['n'], changed: ['m'], removed: [] },
      needs_restart: [],
    })
    expect(await chat(url, 'old')).toBe(401)
    expect(await chat(url, 'new')).toBe(200)
    expect(await chat(url, 'new', 'n')).toBe(200)
    baton.signal('SIGTERM')
    expect(await baton.exited).toEqual({ code: 0, signal: null })
  })

  test('a broken file changes nothing and says why', async () => {
    site = await openDeployment(first())
    const baton = site.run()
    const { url } = (await baton.logged('api listening')) as unknown as { url: string }
    await baton.logged('started')
    await write({ ...first(), models: { m: { provider: 'nobody' } } })
    const { status, body } = await reload(url)
    expect(status).toBe(422)
    expect(body.error?.code).toBe('config_refused')
    expect(body.error?.message).toContain('models.m')
    expect(await chat(url, 'old')).toBe(200)
    baton.signal('SIGHUP')
    await until(() => baton.lines.filter(line => line.event === 'config.reload_refused').length === 2)
    expect(await chat(url, 'old')).toBe(200)
  })

  test('what a reload would change is told before, and a broken file as the reload would refuse it', async () => {
    site = await openDeployment(first())
    const baton = site.run()
    const { url } = (await baton.logged('api listening')) as unknown as { url: string }
    await baton.logged('started')
    const preview = async () => {
      const answer = await fetch(`${url}/v1/admin/reload`, { headers: boss })
      return { status: answer.status, body: (await answer.json()) as Answer }
    }
    await write(second())
    const told = await preview()
    const at = { cwd: site.dir, env: { BATON_URL: url, BATON_API_KEY: 'boss' } }
    const diff = await runHere(['diff-config'], at)
    expect(diff).toMatchObject({ code: 1, stdout: expect.stringMatching(/\+ provider q\n- provider p\n/) })
    expect(await chat(url, 'new')).toBe(401)
    expect((await reload(url)).body).toEqual(told.body)
    expect(await chat(url, 'new')).toBe(200)
    expect(await runHere(['diff-config'], at)).toMatchObject({ code: 0 })

    await write({ ...second(), models: { m: { provider: 'nobody' } } })
    const refusal = await preview()
    expect(refusal.status).toBe(422)
    expect((await reload(url)).body.error?.message).toBe(refusal.body.error?.message)
    expect(await runHere(['diff-config'], at)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('models.m'),
    })
  })

  test('the processes of other roles follow, and what takes a restart is told', async () => {
    site = await openDeployment(first())
    const worker = await site.worker('p')
    const api = await site.api()
    await write({
      ...first(),
      server: { port: 0, max_waiting: 7 },
      providers: { p: { ...at(sims[1]!), limits: { rpm: 1000 } } },
    })
    const { body } = await reload(api.url)
    expect(body).toMatchObject({
      providers: { added: [], changed: ['p'], removed: [] },
      limits: ['p.rpm'],
      needs_restart: ['server.max_waiting'],
    })
    await worker.logged('config reloaded')
    expect(await chat(api.url, 'old')).toBe(200)
  })

  test('one that could not hear of it finds out when it is back', async () => {
    const redis = await ownRedis()
    onTestFinished(() => redis.stop())
    const store = { redis: { url: redis.url } }
    site = await openDeployment({ ...first(), ...store })
    const [worker, api] = [await site.worker('p'), await site.api()]
    worker.signal('SIGSTOP')
    const kill = new Redis(redis.url)
    onTestFinished(() => void kill.disconnect())
    await kill.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await write({ ...first(), ...store, providers: { p: { ...at(sims[1]!), limits: { rpm: 1000 } } } })
    expect((await reload(api.url)).status).toBe(200)
    worker.signal('SIGCONT')
    await worker.logged('config reloaded')
    const told = worker.lines.filter(({ event }) => event === 'config.reloaded')
    expect(told).toMatchObject([{ changes: { limits: ['p.rpm'] } }])
    // It is no news to one that starts with the file as it is.
    const fresh = await site.worker('p')
    expect(fresh.lines.filter(({ event }) => event === 'config.reloaded')).toEqual([])
    // To one that starts and had read its file before, it is.
    await kill.set('baton:reloaded-at', Date.now() + 3_600_000)
    const early = await site.worker('p')
    await early.logged('config reloaded')
  })

  test('under load nothing is lost, refused or called twice', async () => {
    site = await openDeployment(first())
    const baton = site.run()
    const { url } = (await baton.logged('api listening')) as unknown as { url: string }
    await baton.logged('started')
    let isOver = false
    let sent = 0
    const statuses = new Set<number>()
    const client = async () => {
      while (!isOver) {
        sent++
        statuses.add(await chat(url, 'old'))
      }
    }
    const clients = Array.from({ length: 8 }, client)
    for (let rpm = 100_000; rpm < 100_004; rpm++) {
      await write({ ...first(), providers: { p: { ...at(sims[rpm % 2]!), limits: { rpm } } } })
      expect((await reload(url)).status).toBe(200)
      const before = sent
      await until(() => sent > before + 50)
    }
    isOver = true
    await Promise.all(clients)
    expect([...statuses]).toEqual([200])
    expect(calls().reduce((a, b) => a + b, 0)).toBe(sent)
  })
})
