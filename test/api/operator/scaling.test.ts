import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { termsOf } from '../../../src/domain/circuit-terms.ts'
import { tallyOf } from '../../health/tally-of.ts'
import { patience } from '../../support/patience.ts'
import { call, openTestApi, submitJob, type TestApi } from '../test-api.ts'

let api: TestApi
beforeAll(async () => {
  api = await openTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

const scaling = async (provider: string) => (await call(api, 'GET', `/v1/scaling/${provider}`)).json

describe('GET /v1/scaling/:provider', () => {
  it('wants none without work, and one for the first job, though no worker runs', async () => {
    expect(await scaling('openai')).toMatchObject({
      workers_wanted: 0,
      bound_by: 'nothing_to_do',
      workers: 0,
    })
    await submitJob(api)
    await expect
      .poll(() => scaling('openai'), patience)
      .toMatchObject({
        ...{ object: 'scaling', provider: 'openai', workers_wanted: 1, bound_by: 'work', waiting: 1 },
      })
    const metrics = await call(api, 'GET', '/metrics')
    expect(metrics.text).toContain('baton_workers_wanted{provider="openai"} 1')
  })

  it('wants none while the provider is paused', async () => {
    await call(api, 'POST', '/v1/providers/openai/pause')
    expect(await scaling('openai')).toMatchObject({ workers_wanted: 0, bound_by: 'paused' })
    await call(api, 'POST', '/v1/providers/openai/resume')
  })

  it('wants one where jobs pass the provider over, as nobody serves its queue', async () => {
    // What every process says in its heartbeat, of a process that passes over two more with each look.
    let passedOver = 0
    const beat = () => {
      passedOver += 2
      return api.redis.hset(
        `${api.prefix}:{health}:processes`,
        'other',
        JSON.stringify({
          ...{ instance: 'other', ends: { cancelled: 0, expired: 0 }, seenAtMs: Date.now() },
          passedOver: { anthropic: passedOver },
        }),
      )
    }
    await expect
      .poll(async () => {
        await beat()
        return scaling('anthropic')
      }, patience)
      .toMatchObject({ workers_wanted: 1, waiting: 0, bound_by: 'work' })
  })

  it('wants one where jobs pass the provider over until a call shows that it is back, with a worker or without', async () => {
    await using own = await openTestApi()
    const { circuitStore, circuits, now } = own.parts
    const terms = termsOf({
      ...{ windowMs: 10_000, errorPercent: 50, minCalls: 2, runLength: 2, slowFactor: 2 },
      ...{ resetMs: 60_000, maxResetMs: 60_000, rampMs: 1_000, checkMs: 1_000, firstShare: 1 },
    })
    await circuitStore.report('openai', terms, tallyOf({ failed: 2 }), -1)
    await expect.poll(() => circuits.of('openai').state, patience).toBe('down')
    const ofOne = async () => {
      await submitJob(own)
      return (await call(own, 'GET', '/v1/scaling/openai')).json
    }
    const wanted = { workers_wanted: 1, bound_by: 'away', waiting: 0 }
    await expect.poll(ofOne, patience).toMatchObject({ ...wanted, workers: 0 })
    const worker = { provider: 'openai', instance: 'w', pid: 1, breaker: 'closed', callsInFlight: 0 }
    await own.redis.hset(
      `${own.prefix}:{health}:workers`,
      'openai@w',
      JSON.stringify({ ...worker, concurrency: 4, seenAtMs: now() + 60_000 }),
    )
    await expect.poll(ofOne, patience).toMatchObject({ ...wanted, workers: 1 })
  })

  it('does not know any other', async () => {
    const { status, json } = await call(api, 'GET', '/v1/scaling/nobody')
    expect([status, json.error.code, json.error.param]).toEqual([404, 'provider_not_found', 'provider'])
  })
})
