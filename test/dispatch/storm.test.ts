import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { type Baton, openBaton } from '../support/open-baton.ts'

let sim: SimProvider
let baton: Baton

beforeEach(async () => {
  sim = createSimProvider({ behaviour: { throttle: { rps: 50, burst: 50, silent: true } } })
  await sim.start()
  baton = await openBaton({
    level: 'workers',
    config: {
      providers: { first: { type: 'openai', base_url: `${sim.url}/v1`, api_key: 'k', concurrency: 20 } },
      models: { 'gpt-4': { provider: 'first' } },
      jobs: { max_attempts: 1 },
    },
  })
})
afterEach(async () => {
  await baton.stop()
  await sim.stop()
})

describe('a storm of 429s in one process', () => {
  it('a storm of 429s fails no job and costs no job its budget', async () => {
    const ids = await Promise.all(
      Array.from({ length: 200 }, (_, i) => baton.chat('gpt-4', { user: `storm-${i}` })),
    )
    const jobs = await Promise.all(ids.map(baton.ended))
    expect(new Set(jobs.map(job => job.status))).toEqual(new Set(['succeeded']))
    const verdicts = jobs.flatMap(job => job.attempts.map(a => a.verdict))
    expect(new Set(verdicts)).toEqual(new Set(['rate_limited', 'ok']))
    expect(verdicts.filter(verdict => verdict === 'ok')).toHaveLength(200)
    // Each job learns from what others met: without the shared cooling every job would try again and again.
    expect(sim.calls.outcomes.throttle).toBeLessThan(400)
  }, 40_000)
})
