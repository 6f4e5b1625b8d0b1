import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { call, type Json } from '../api/test-api.ts'
import { openRig, submitted } from '../faults/rig.ts'
import { type BatonApi, openBaton } from '../support/open-baton.ts'

let first: SimProvider
let second: SimProvider
let baton: BatonApi

const price = { input: 1_000_000, output: 1_000_000 }
const mirror = { to: 'claude', sample: 1, parallel: true }

beforeAll(async () => {
  first = createSimProvider()
  second = createSimProvider()
  await Promise.all([first.start(), second.start()])
  const breaker = { min_calls: 100_000 }
  const backoff = { base: '10ms', cap: '50ms' }
  const common = { api_key: 'k', breaker, backoff, retries: 0 }
  const config = {
    jobs: { max_attempts: 4 },
    providers: {
      first: { type: 'openai', base_url: `${first.url}/v1`, ...common },
      second: { type: 'anthropic', base_url: second.url, ...common },
    },
    models: {
      beside: { provider: 'first', upstream_model: 'gpt', price, fallback_to: 'claude', mirror },
      down: { provider: 'first', upstream_model: 'fail-500', fallback_to: 'claude', mirror },
      alone: { provider: 'first', upstream_model: 'fail-500', mirror },
      both: {
        provider: 'first',
        upstream_model: 'fail-500',
        fallback_to: 'claude',
        mirror: { ...mirror, to: 'second/fail-500' },
      },
      slow: {
        provider: 'first',
        upstream_model: 'fail-500',
        fallback_to: 'claude',
        mirror: { ...mirror, to: 'second/slow-400ms' },
      },
      nobody: {
        provider: 'first',
        upstream_model: 'fail-500',
        mirror: { ...mirror, to: 'second/fail-500' },
      },
      claude: { provider: 'second', price },
    },
  }
  baton = await openBaton({ level: 'api', config, graceMs: 100 })
})
afterAll(async () => {
  await baton.stop()
  await Promise.all([first.stop(), second.stop()])
})
beforeEach(() => {
  first.reset()
  second.reset()
})

const mirrorOf = async (route: string): Promise<Json> => {
  const { json } = await call({ url: baton.url }, 'GET', '/v1/mirrors')
  return json.data.find((mirror: Json) => mirror.route === route)
}
const run = async (route: string) => baton.ended(await baton.chat(route))

describe('parallel mirrors', () => {
  describe('a mirror side by side', () => {
    it('is called while the first call is under way, which answers the job, and says so', async () => {
      const id = await baton.chat('beside')
      const job = await baton.ended(id)
      expect(job.attempts).toMatchObject([
        { provider: 'second', verdict: null, reason: 'mirror', possibly_billed: true, mirror: true },
        { provider: 'first', verdict: 'ok', possibly_billed: false },
      ])
      const seen = await until(async () => {
        const seen = await mirrorOf('beside')
        return seen.compared === 1 ? seen : null
      })
      expect(seen).toMatchObject({ parallel: true, sampled: 1, failed: 0, fallback: 0, waiting: 0, lost: 0 })
      expect([first.calls.calls, second.calls.calls]).toEqual([1, 1])
    })

    it('answers where that call fails, without another call', async () => {
      const job = await run('down')
      expect(job.status).toBe('succeeded')
      expect(job.attempts).toMatchObject([
        { hop: 0, provider: 'second', verdict: 'ok', mirror: true },
        { hop: 0, provider: 'first', verdict: 'transient' },
      ])
      expect(job.hop).toBe(0)
      expect(job.response!.statusCode).toBe(200)
      // What its answer cost is the job's.
      expect(job.costUsd).toBeGreaterThan(0)
      expect([first.calls.calls, second.calls.calls]).toEqual([1, 1])
      await until(async () => (await mirrorOf('down')).fallback === 1)
      const { json } = await call({ url: baton.url }, 'GET', `/v1/jobs/${job.id}`)
      expect(json).toMatchObject({ provider: 'second', upstream_model: 'claude' })
    })

    it('answers a route that has no other target', async () => {
      const job = await run('alone')
      // Where the mirror is the slower one, the target is tried again meanwhile.
      expect(job.status).toBe('succeeded')
      expect(job.attempts.filter(({ verdict }) => verdict === 'ok')).toMatchObject([{ provider: 'second' }])
    })

    it('is waited for while it is called', async () => {
      const job = await run('slow')
      expect(job.attempts.at(0)).toMatchObject({ provider: 'second', model: 'slow-400ms', verdict: 'ok' })
      expect(second.calls.calls).toBe(1)
    })

    it('leaves the job to its chain where it fails, too, with both failures in the log', async () => {
      const job = await run('both')
      expect(job.attempts).toMatchObject([
        { hop: 0, provider: 'second', model: 'fail-500', verdict: 'transient', mirror: true },
        { hop: 0, provider: 'first', model: 'fail-500', verdict: 'transient' },
        { hop: 1, provider: 'second', model: 'claude', verdict: 'ok' },
      ])
      await until(async () => (await mirrorOf('both')).failed === 1)
    })

    it('is asked once, and stands in the log once, however often the job is parked and called again', async () => {
      const job = await run('nobody')
      expect(job.error!.code).toBe('attempts_exhausted')
      expect(job.attempts.filter(({ mirror }) => mirror)).toMatchObject([{ provider: 'second' }])
      expect([first.calls.calls, second.calls.calls]).toEqual([4, 1])
    })
  })

  it('is asked once, though the worker of the first call is killed, and answers all the same', {
    timeout: 90_000,
  }, async () => {
    const rig = await openRig({
      routes: {
        watched: { provider: 'first', upstream_model: 'hang-then-fail-500', mirror },
        claude: { provider: 'second' },
      },
    })
    try {
      const [doomed] = await Promise.all([rig.site.worker('first'), rig.site.worker('second')])
      const id = await submitted(rig.client, { model: 'watched', user: 'twice' })
      await until(() => rig.first.calls.calls === 1 && rig.second.calls.calls === 1)
      await doomed.kill()
      await rig.site.worker('first')
      const job = await rig.client.ended(id, 60_000)
      expect([job.status, job.provider]).toEqual(['succeeded', 'second'])
      expect(rig.second.calls.calls).toBe(1)
      expect(job.attempts).toContainEqual(
        expect.objectContaining({ reason: 'worker_lost', possibly_billed: true }),
      )
    } finally {
      await rig.close()
    }
  })
})
