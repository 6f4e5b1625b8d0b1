import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { type Baton, openBaton } from '../support/open-baton.ts'

let first: SimProvider
let second: SimProvider
let baton: Baton

beforeEach(async () => {
  first = createSimProvider({ behaviour: { fault: { kind: 'error-500' } } })
  // Slower than the first target's backoff, one call at a time: jobs wait here until the first seems ready again.
  second = createSimProvider({ behaviour: { latency: { kind: 'fixed', ms: 700 } } })
  await Promise.all([first.start(), second.start()])
  baton = await openBaton({
    level: 'workers',
    config: {
      providers: {
        first: {
          type: 'openai',
          base_url: `${first.url}/v1`,
          api_key: 'k',
          retries: 0,
          breaker: { min_calls: 1000 },
        },
        second: { type: 'openai', base_url: `${second.url}/v1`, api_key: 'k', concurrency: 1 },
      },
      models: { 'gpt-4': { provider: 'first', fallback_to: 'backup' }, backup: { provider: 'second' } },
    },
  })
})
afterEach(async () => {
  await baton.stop()
  await Promise.all([first.stop(), second.stop()])
})

describe('a backlog at the next target', () => {
  it('a job that waited long at its next target is called there, not sent back to the one that failed it', async () => {
    const ids = await Promise.all(Array.from({ length: 5 }, () => baton.chat('gpt-4')))
    const jobs = await Promise.all(ids.map(baton.ended))
    for (const job of jobs) {
      expect(job.attempts.map(a => `${a.hop} ${a.provider} ${a.verdict}`)).toEqual([
        '0 first transient',
        '1 second ok',
      ])
    }
  })
})
