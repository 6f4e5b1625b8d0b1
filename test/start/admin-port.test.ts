import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Child } from '../../harness/child.ts'
import type { Deployment } from '../../harness/deployment.ts'
import { until } from '../../harness/until.ts'
import { findFreePort } from '../../src/redis/dev/probe.ts'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { parseExposition } from '../support/exposition.ts'
import { openBaton } from '../support/open-baton.ts'
import { type OwnRedis, ownRedis, testRedis } from '../support/redis.ts'

const secret = `whsec_${'A'.repeat(32)}`
const operator = { authorization: 'Bearer boss' }

let sim: SimProvider
let site: Deployment
const configOf = (more: object = {}) => {
  const { url, prefix } = testRedis()
  return {
    providers: { p: { type: 'openai', base_url: `${sim.url}/v1`, api_key: 'k' } },
    models: { m: { provider: 'p' }, hang: { provider: 'p' } },
    redis: { url, prefix },
    webhooks: { secret },
    server: { port: 0, admin_port: 0, shutdown_grace: '20s' },
    ...more,
  }
}
beforeEach(async () => {
  sim = createSimProvider()
  await sim.start()
})
afterEach(async () => {
  await site.close()
  await sim.stop()
})

const portOf = async (baton: Child): Promise<string> =>
  (await baton.logged('admin port listening')).url as string

const ask = async (url: string, headers: Record<string, string> = {}) => {
  const answer = await fetch(url, { headers, signal: AbortSignal.timeout(10_000) })
  return { status: answer.status, headers: answer.headers, text: await answer.text() }
}
const readyOf = async (url: string) => {
  const { status, text } = await ask(`${url}/readyz`)
  return [status, JSON.parse(text)]
}

describe('the admin port', () => {
  describe('each role on a port of its own', () => {
    test.each([
      [
        ['worker', 'p'],
        ['baton_worker_concurrency{', 'baton_attempts_total', 'process_cpu_seconds_total'],
      ],
      [
        ['worker', 'webhooks'],
        ['baton_webhook_attempts_total{', 'process_cpu_seconds_total'],
      ],
      [
        ['worker', 'batches'],
        ['baton_jobs_finished_total{', 'process_cpu_seconds_total'],
      ],
      [['api'], ['baton_queue_depth{', 'baton_provider_state{', 'process_cpu_seconds_total']],
      [[], ['baton_queue_depth{', 'baton_worker_concurrency{', 'baton_webhook_attempts_total{']],
    ])('%j lives, is ready, and tells its figures', async (args, metrics) => {
      site = await openBaton({ level: 'processes', config: configOf() })
      const baton = site.run(...args)
      const url = await portOf(baton)
      await baton.logged('started')
      expect(await readyOf(url)).toEqual([200, { status: 'ready' }])
      expect((await ask(`${url}/livez`)).status).toBe(200)
      const { status, text, headers } = await ask(`${url}/metrics`)
      expect(status).toBe(200)
      expect(headers.get('content-type')).toContain('version=0.0.4')
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      const told = metrics.filter(name => name !== 'baton_attempts_total')
      for (const name of told) expect(text).toContain(`\n${name}`)
      // Each metric once, with all its samples.
      const types = text.match(/^# TYPE \S+/gm) ?? []
      expect(types).toHaveLength(new Set(types).size)
      expect(parseExposition(text).size).toBe(types.length)
      expect((await ask(`${url}/v1/jobs`)).status).toBe(404)
      expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(405)
    })

    test('a worker counts its calls there, and those alone', async () => {
      site = await openBaton({ level: 'processes', config: configOf() })
      const [worker, other, api] = [await site.worker('p'), await site.worker('p'), await site.api()]
      const messages = [{ role: 'user', content: 'hi' }]
      const body = JSON.stringify({ model: 'm', messages })
      const headers = { 'content-type': 'application/json' }
      for (let i = 0; i < 6; i++) {
        expect(
          (await fetch(`${api.url}/v1/chat/completions`, { method: 'POST', headers, body })).status,
        ).toBe(200)
      }
      const countOn = async (baton: Child): Promise<number> => {
        const { text } = await ask(`${await portOf(baton)}/metrics`)
        const counts = [...text.matchAll(/^baton_attempts_total\{.*verdict="ok".*\} (\d+)$/gm)].map(
          ([, count]) => Number(count),
        )
        return counts.reduce((sum, count) => sum + count, 0)
      }
      expect((await countOn(worker)) + (await countOn(other))).toBe(6)
      expect(await countOn(api)).toBe(0)
    })
  })

  describe('a process that cannot work', () => {
    let redis: OwnRedis
    beforeEach(async () => {
      redis = await ownRedis()
    })
    afterEach(() => redis.stop())

    test('is not ready while Redis is away, and lives', async () => {
      site = await openBaton({ level: 'processes', config: configOf({ redis: { url: redis.url } }) })
      const worker = site.run('worker', 'p')
      const url = await portOf(worker)
      await worker.logged('started')
      await redis.stop()
      await until(async () => (await readyOf(url))[0] === 503)
      expect(await readyOf(url)).toEqual([503, { status: 'unavailable', reason: 'redis_unavailable' }])
      expect((await ask(`${url}/livez`)).status).toBe(200)
      expect((await ask(`${url}/metrics`)).text).toContain('baton_worker_concurrency')
    })
  })

  test('a process that stops is not ready at once, and lives while it finishes its calls', async () => {
    site = await openBaton({ level: 'processes', config: configOf() })
    const [worker, api] = [await site.worker('p'), await site.api()]
    const url = await portOf(worker)
    await fetch(`${api.url}/v1/jobs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ body: { model: 'hang', messages: [{ role: 'user', content: 'hi' }] } }),
    })
    await until(async () => /^baton_calls_in_flight\{.*\} 1$/m.test((await ask(`${url}/metrics`)).text))
    worker.signal('SIGTERM')
    await until(async () => (await readyOf(url))[0] === 503)
    expect(await readyOf(url)).toEqual([503, { status: 'unavailable', reason: 'stopping' }])
    expect((await ask(`${url}/livez`)).status).toBe(200)
  })

  test('several on one host need a port each, and the second says so', async () => {
    const admin_port = await findFreePort()
    site = await openBaton({ level: 'processes', config: configOf({ server: { port: 0, admin_port } }) })
    const first = site.run('worker', 'p')
    await portOf(first)
    const second = site.run('worker', 'webhooks')
    expect((await second.exited).code).toBe(1)
    expect(second.output).toContain(
      `The admin port cannot listen on 127.0.0.1:${admin_port}: the port is in use.`,
    )
    expect(second.output).toContain('ADMIN_PORT')
  })

  test('without the setting there is no such port', async () => {
    site = await openBaton({ level: 'processes', config: configOf({ server: { port: 0 } }) })
    const worker = await site.worker('p')
    expect(worker.output).not.toContain('admin port')
  })

  describe('who may ask', () => {
    test('on loopback no page and no foreign name, whatever keys there are', async () => {
      site = await openBaton({
        level: 'processes',
        config: configOf({ api_keys: ['client', { key: 'boss', role: 'operator' }] }),
      })
      const url = await portOf(site.run('worker', 'p'))
      expect((await ask(`${url}/metrics`)).status).toBe(200)
      const foreign = await ask(`${url}/metrics`, { origin: 'https://evil.example' })
      expect([foreign.status, foreign.text]).toEqual([403, expect.stringContaining('cross_site_forbidden')])
    })

    test('elsewhere figures are for an operator, and probes for all', async () => {
      const server = { port: 0, admin_port: 0, admin_host: '0.0.0.0' }
      site = await openBaton({
        level: 'processes',
        config: configOf({ server, api_keys: ['client', { key: 'boss', role: 'operator' }] }),
      })
      const worker = site.run('worker', 'p')
      const url = (await portOf(worker)).replace('0.0.0.0', '127.0.0.1')
      await worker.logged('started')
      expect((await ask(`${url}/livez`)).status).toBe(200)
      expect((await ask(`${url}/readyz`)).status).toBe(200)
      expect((await ask(`${url}/metrics`)).status).toBe(401)
      expect((await ask(`${url}/metrics`, { authorization: 'Bearer client' })).status).toBe(403)
      expect((await ask(`${url}/metrics`, operator)).status).toBe(200)
    })
  })
})
