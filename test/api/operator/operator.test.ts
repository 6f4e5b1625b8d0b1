import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createWorkerHeartbeat } from '../../../src/health/heartbeats.ts'
import { fingerprintOf } from '../../../src/health/key-ring.ts'
import { patience } from '../../support/patience.ts'
import { call, type Json, openTestApi, submitJob, type TestApi } from '../test-api.ts'

let api: TestApi
beforeAll(async () => {
  api = await openTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

const providers = async (): Promise<Json> => (await call(api, 'GET', '/v1/providers')).json.data
const later = Date.now() + 60_000
const seconds = Math.floor(later / 1_000)

describe('GET /v1/providers', () => {
  it('shows providers that are well, with their queues', async () => {
    await submitJob(api, {}, { headers: { 'idempotency-key': 'one' } })
    const counts = async () => (await providers())[0].queue.waiting
    await expect.poll(counts, patience).toBe(1)
    const well = {
      ...{ state: 'healthy', since: null, until: null, reason: null, share: 1, probe_owner: null },
      ...{
        entries: [],
        events: [],
        workers: [],
        without_worker_since: null,
        workers_wanted: expect.any(Number),
        health_check: null,
      },
      ...{ recovery: { steps: expect.any(Array), step: 0, relapses: 0 }, paused: null, last_error: null },
      ...{ rates: expect.any(Object), p95_ms: null, estimated_drain_at: null },
      limits: { rpm: null, tpm: null, concurrency: null, seen: [] },
    }
    expect(await providers()).toEqual([
      {
        name: 'openai',
        type: 'openai',
        models: ['gpt-4', 'meta/llama'],
        ...well,
        queue: {
          ...{ waiting: 1, active: 0, parked: 0, oldest_at: expect.any(Number) },
          by_class: { interactive: 0, default: 1, bulk: 0 },
        },
      },
      {
        name: 'anthropic',
        type: 'anthropic',
        models: ['claude-3'],
        ...well,
        queue: {
          ...{ waiting: 0, active: 0, parked: 0, oldest_at: null },
          by_class: { interactive: 0, default: 0, bulk: 0 },
        },
      },
    ])
  })

  it('shows live workers and their breakers', async () => {
    const heartbeat = createWorkerHeartbeat(api.redis, api.prefix, api.parts.log, () => ({
      ...{ provider: 'openai', instance: 'w1', pid: 7, breaker: 'half_open' },
      ...{ callsInFlight: 3, concurrency: 50, seenAtMs: Date.now() },
    }))
    heartbeat.start()
    await expect
      .poll(async () => (await providers())[0].workers)
      .toEqual([
        {
          ...{
            instance: 'w1',
            pid: 7,
            breaker: 'half_open',
            calls_in_flight: 3,
            concurrency: 50,
            process_bound: 50,
          },
          seen_at: expect.any(Number),
        },
      ])
    await heartbeat.stop()
  })

  it('is out of use only when all its models, or all its keys, are', async () => {
    const { cooldowns } = api.parts
    const states = async () =>
      Object.fromEntries((await providers()).map((p: Json) => [p.name, [p.state, p.until, p.reason]]))
    const well = ['healthy', null, null]
    const [one, other] = ['k-1', 'k-2'].map(key => `key:anthropic#${fingerprintOf(key)}` as const)

    cooldowns.suspend('target:openai/gpt-4', 'throttled', later + 9_000, 'rate_limit_exceeded')
    cooldowns.suspend(one!, 'stopped', later + 9_000, 'invalid_api_key')
    // Of a key that a reload has taken away.
    cooldowns.suspend('key:anthropic#aaaa', 'stopped', later + 9_000, 'invalid_api_key')
    expect(await states()).toEqual({ openai: well, anthropic: well })
    expect((await providers())[0].entries).toEqual([
      {
        ...{ scope: 'target:openai/gpt-4', state: 'throttled', reason: 'rate_limit_exceeded' },
        ...{ since: expect.any(Number), until: seconds + 9 },
      },
    ])

    cooldowns.suspend('target:openai/meta/llama', 'stopped', later, 'breaker')
    cooldowns.suspend(other!, 'stopped', later, 'insufficient_quota')
    expect(await states()).toEqual({
      openai: ['stopped', seconds, 'breaker'],
      anthropic: ['stopped', seconds, 'insufficient_quota'],
    })

    cooldowns.suspend('provider:openai', 'throttled', later + 20_000, 'http_429')
    expect((await states()).openai).toEqual(['throttled', seconds + 20, 'http_429'])
  })
})

describe('POST /v1/providers/:name/pause and /resume', () => {
  const at = async (path: string) => call(api, 'POST', `/v1/providers/${path}`)

  it('sends new jobs elsewhere until it is resumed, and tells both', async () => {
    const { status, json } = await at('anthropic/pause')
    expect(status).toBe(200)
    expect(json).toMatchObject({
      ...{ name: 'anthropic', state: 'paused', until: null, reason: 'operator', share: 0 },
      events: [{ state: 'paused', at: expect.any(Number) }],
    })
    expect(api.parts.circuits.sendsAt('anthropic')).toBeGreaterThan(Date.now())
    expect((await at('anthropic/pause')).json.events).toHaveLength(1)

    const resumed = (await at('anthropic/resume')).json
    expect(resumed.events.map((event: Json) => event.state)).toEqual(['healthy', 'paused'])
    expect(api.parts.circuits.sendsAt('anthropic')).toBe(0)
  })

  it('knows only providers of the config', async () => {
    const { status, json } = await at('nobody/pause')
    expect([status, json.error.code]).toEqual([404, 'provider_not_found'])
  })
})

describe('GET /v1/models', () => {
  it("has OpenAI's shape", async () => {
    const { json } = await call(api, 'GET', '/v1/models')
    expect(json.object).toBe('list')
    expect(json.data[0]).toEqual({ id: 'gpt-4', object: 'model', created: 0, owned_by: 'openai' })
  })

  it("has Anthropic's shape for Anthropic's clients", async () => {
    const headers = { 'anthropic-version': '2026-10-21' }
    const { json } = await call(api, 'GET', '/v1/models?limit=20', { headers })
    expect(json).toMatchObject({ has_more: false, first_id: 'gpt-4', last_id: 'meta/llama' })
    expect(json.data[1]).toEqual({
      ...{ type: 'model', id: 'claude', display_name: 'claude', created_at: '1970-01-01T00:00:00Z' },
    })
  })
})
