import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { termsOf } from '../../src/domain/circuit-terms.ts'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { type Baton, openBaton } from '../support/open-baton.ts'
import { tallyOf } from './tally-of.ts'

// The process's own breaker decides by what it saw itself, the cluster by what all saw.

let sim: SimProvider
let baton: Baton
let lines: string[]

/** As in the config below. */
const terms = termsOf({
  ...{
    windowMs: 5_000,
    errorPercent: 50,
    minCalls: 4,
    runLength: 10_000,
    slowFactor: 2,
    resetMs: 300,
    maxResetMs: 300_000,
  },
  ...{ rampMs: 300_000, checkMs: 60_000, firstShare: 0.05 },
})

beforeEach(async () => {
  sim = createSimProvider({ behaviour: { fault: { kind: 'error-503' } } })
  await sim.start()
  lines = []
  baton = await openBaton({
    level: 'workers',
    config: {
      providers: {
        first: {
          ...{ type: 'openai', api_key: 'k', retries: 0, base_url: `${sim.url}/v1` },
          breaker: { window: '5s', min_calls: 4, consecutive_failures: 10_000, reset: '300ms' },
        },
      },
      models: { 'gpt-4': { provider: 'first' } },
    },
    logTo: { write: line => void lines.push(line) },
  })
})
afterEach(async () => {
  await baton.stop()
  await sim.stop()
})

const answered = (count: number) => {
  const { era } = baton.context.circuits.of('first')
  return baton.context.circuitStore.report('first', terms, tallyOf({ era, ok: count, by: 'other' }), -1)
}
const failSome = () => Promise.all(Array.from({ length: 6 }, () => baton.chat('gpt-4')))
const ownBreaker = (state: string): boolean =>
  lines.some(line => line.includes('breaker changed state') && line.includes(`"${state}"`))
const events = async () => (await baton.context.circuitStore.events('first')).map(({ state }) => state)

describe('the breaker of one process among several', () => {
  it('when the process opens by itself, the cluster opens, though its window is full of good calls', async () => {
    await answered(10_000)
    await failSome()
    await until(async () => (await events()).at(-1) === 'down')
    expect(baton.context.circuits.of('first').reason).toBe('server_error')
  })

  it('while another process has answers, the cluster stays, and this one is alone with its trouble', async () => {
    await answered(10_000)
    const answering = setInterval(() => void answered(10), 50)
    try {
      await failSome()
      await until(() => ownBreaker('open'))
      // It has told of it again and again, and tried by its own clock.
      await until(() => ownBreaker('half_open'))
      expect(await events()).toEqual([])
    } finally {
      clearInterval(answering)
    }
    await failSome()
    await until(async () => (await events()).at(-1) === 'down')
  })
})
