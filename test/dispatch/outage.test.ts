import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import type { BehaviourInput } from '../../src/sim/behaviour.ts'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { type Baton, openBaton } from '../support/open-baton.ts'

let sims: SimProvider[]
let baton: Baton

beforeEach(async () => {
  sims = [createSimProvider(), createSimProvider()]
  await Promise.all(sims.map(sim => sim.start()))
})
afterEach(async () => {
  await baton.stop()
  await Promise.all(sims.map(sim => sim.stop()))
})

const open = async (reset = '400ms'): Promise<void> => {
  const breaker = { min_calls: 4, reset, window: '10s' }
  baton = await openBaton({
    level: 'workers',
    config: {
      providers: {
        first: { type: 'openai', base_url: `${sims[0]!.url}/v1`, api_key: 'k', breaker },
        second: { type: 'anthropic', base_url: sims[1]!.url, api_key: 'k', breaker },
      },
      models: { 'gpt-4': { provider: 'first', fallback_to: 'claude' }, claude: { provider: 'second' } },
    },
  })
}

const behave = (behaviour: BehaviourInput): void => {
  for (const sim of sims) sim.script(behaviour)
}
const submit = (count: number) => Promise.all(Array.from({ length: count }, () => baton.chat('gpt-4')))
const statuses = async (ids: readonly string[]) =>
  (await baton.context.store.readHeads(ids)).map(job => job!.status)

describe('an outage', () => {
  it.each(['error-503', 'reset'] as const)(
    'of all providers (%s) parks jobs, which finish after it',
    async kind => {
      await open()
      behave({ fault: { kind } })
      const ids = await submit(12)
      await until(async () => (await statuses(ids)).every(status => status === 'parked'))
      for (const provider of ['first', 'second']) {
        const states = (await baton.context.circuitStore.events(provider)).map(circuit => circuit.state)
        expect(states.at(-1)).toBe('down')
      }

      behave({})
      const jobs = await Promise.all(ids.map(baton.ended))
      expect(new Set(jobs.map(job => job.status))).toEqual(new Set(['succeeded']))
    },
  )

  it('of a provider that is alone is probed by a job that waits for it, as soon as it may be', async () => {
    await open()
    sims[1]!.script({ fault: { kind: 'error-503' } })
    await Promise.all(Array.from({ length: 6 }, () => baton.chat('claude')))
    const [probing, opened] = await until(async () => {
      const events = await baton.context.circuitStore.events('second')
      return events.length >= 2 && events.slice(-2)
    })
    expect([opened!.state, probing!.state]).toEqual(['down', 'probing'])
    // Each job keeps away for a second after its own failure, and they come back over another: the first of six is soon there.
    expect(probing!.sinceMs).toBeGreaterThanOrEqual(opened!.untilMs)
    // The machine may stand still meanwhile, for some seconds.
    expect(probing!.sinceMs - opened!.untilMs).toBeLessThan(10_000)
  })

  it('of the first provider is answered by the second, which the breaker makes the first choice', async () => {
    await open('1m')
    sims[0]!.script({ fault: { kind: 'error-500' } })
    const jobs = await Promise.all((await submit(12)).map(baton.ended))
    expect(jobs.map(job => job.attempts.at(-1)!.provider)).toEqual(jobs.map(() => 'second'))
    const callsBefore = sims[0]!.calls.calls
    const next = await baton.ended(await baton.chat('gpt-4'))
    expect(next.attempts.map(a => a.provider)).toEqual(['second'])
    expect(sims[0]!.calls.calls).toBe(callsBefore)
  })
})
