import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { type Baton, openBaton } from '../support/open-baton.ts'

let sim: SimProvider
let baton: Baton

beforeAll(async () => {
  sim = createSimProvider()
  await sim.start()
  const provider = { type: 'openai', base_url: `${sim.url}/v1`, api_key: 'k' }
  baton = await openBaton({
    level: 'workers',
    workers: ['first'],
    config: {
      providers: { first: provider, deserted: provider },
      models: {
        hang: { provider: 'first' },
        'throttle-60000ms': { provider: 'first' },
        'gpt-4': { provider: 'deserted' },
      },
    },
  })
})
afterAll(async () => {
  await baton.stop()
  await sim.stop()
})

describe('the deadline of a job', () => {
  describe('at its deadline', () => {
    it('a running job expires and its call is dropped', async () => {
      const id = await baton.chat('hang', { windowMs: 700 })
      const job = await baton.ended(id)
      expect(job).toMatchObject({
        status: 'expired',
        error: { code: 'expired' },
        attempts: [{ verdict: null, reason: 'expired', possibly_billed: true }],
      })
      expect(job.finishedAtMs! - job.expiresAtMs).toBeGreaterThanOrEqual(0)
      expect(job.finishedAtMs! - job.expiresAtMs).toBeLessThan(1_500)
      await until(() => sim.calls.inFlight === 0)
    })

    it('a parked job expires, not at the time it would have resumed', async () => {
      const id = await baton.chat('throttle-60000ms', { windowMs: 1_500 })
      const parked = await until(async () => {
        const job = await baton.context.store.read(id)
        return job?.status === 'parked' ? job : null
      })
      expect(parked.resumesAtMs).toBeLessThanOrEqual(parked.expiresAtMs)
      const job = await baton.ended(id)
      expect(job.status).toBe('expired')
      expect(job.attempts.map(a => a.verdict)).toEqual(['rate_limited'])
    })

    it('a queued job expires though its provider has no worker', async () => {
      const job = await baton.ended(await baton.chat('gpt-4', { windowMs: 300 }))
      expect(job).toMatchObject({ status: 'expired', attempts: [] })
    })
  })
})
