import { describe, it, type TestContext } from 'vitest'
import { until } from '../../harness/until.ts'
import { createSimProvider } from '../../src/sim/sim-provider.ts'
import { type Baton, openBaton } from '../support/open-baton.ts'

interface Setup {
  readonly check?: object
  readonly keys?: readonly string[]
  readonly count: number
  /** Answers 503 from the beginning. */
  readonly faulty?: boolean
}

/** Workers of one provider on one Redis, as several processes would be. */
const start = async (
  { onTestFinished }: Pick<TestContext, 'onTestFinished'>,
  { check = {}, keys = ['good'], count, faulty = false }: Setup,
) => {
  const sim = createSimProvider({ keys: ['good'] })
  if (faulty) sim.script({ fault: { kind: 'error-503' } })
  await sim.start()
  onTestFinished(() => sim.stop())
  const provider = {
    ...{ type: 'openai', base_url: `${sim.url}/v1`, api_keys: keys },
    breaker: { reset: '300ms', max_reset: '1s', min_calls: 5, window: '2s' },
    recovery: { ramp: '1s', step_interval: '1s' },
    health_check: { kind: 'completion', interval: '1s', ...check },
  }
  const config = { providers: { only: provider }, models: { chat: { provider: 'only' } } }
  const processes: Baton[] = []
  for (let i = 0; i < count; i++) {
    const [first] = processes
    processes.push(await openBaton({ level: 'workers', config, ...(first ? { prefix: first.prefix } : {}) }))
  }
  onTestFinished(async () => void (await Promise.all(processes.map(process => process.stop()))))
  const baton = processes[0]!
  const { circuits, circuitStore, cooldowns } = baton.context
  return {
    ...{ sim, baton, cooldowns },
    asked: () => circuits.of('only').checkedAtMs,
    lists: () => circuits.of('only').lists,
    state: () => circuits.of('only').state,
    statesSeen: async () => (await circuitStore.events('only')).map(event => event.state).toReversed(),
  }
}

describe.concurrent('a health check', () => {
  it('asks once in an interval, whatever the number of processes', async ({ expect, ...test }) => {
    const startedAtMs = Date.now()
    const { sim, statesSeen } = await start(test, { count: 3 })
    await until(() => sim.calls.calls >= 3)
    const intervals = (Date.now() - startedAtMs) / 1_000
    expect(sim.calls.calls).toBeLessThanOrEqual(Math.floor(intervals) + 1)
    expect(sim.calls.outcomes).toEqual({ ok: sim.calls.calls })
    expect(await statesSeen()).toEqual([])
  })

  it.for(['models', 'completion'])(
    'finds by %s that a provider died, and that it is back, without any job',
    async (kind, { expect, ...test }) => {
      const { sim, state, statesSeen } = await start(test, { check: { kind }, count: 2 })
      sim.script({ fault: { kind: 'error-503' } })
      await until(() => state() === 'down')
      sim.script({})
      await until(() => state() === 'healthy')
      const seen = await statesSeen()
      expect(seen.slice(0, 2)).toEqual(['down', 'probing'])
      expect(seen.slice(-3)).toEqual(['probing', 'recovering', 'healthy'])
      if (kind === 'models') expect(sim.calls.calls).toBe(0)
    },
  )

  it('does not take a server without a list of models for dead', async ({ expect, ...test }) => {
    const { sim, state, statesSeen, asked, lists } = await start(test, {
      check: { kind: 'models' },
      faulty: true,
      count: 1,
    })
    await until(() => asked() > 0)
    const askedAtMs = asked()
    await until(() => asked() > askedAtMs)
    expect(state()).toBe('healthy')
    sim.script({})
    await until(lists)
    sim.script({ fault: { kind: 'error-503' } })
    await until(async () => (await statesSeen()).includes('down'))
  })

  it('leaves a provider alone that is called', async ({ expect, ...test }) => {
    const { sim, baton } = await start(test, { count: 1 })
    const calledUntilMs = Date.now() + 2_500
    let jobs = 0
    // On a busy machine a job, or two, may take so long that the provider was not called for an interval, or for several.
    let pauses = 0
    for (let before = Date.now(); before < calledUntilMs; before = Date.now()) {
      await baton.ended(await baton.chat('chat'))
      jobs += 1
      pauses += Math.floor((Date.now() - before) / 500)
    }
    // One may have come before the first job.
    expect(sim.calls.calls - jobs).toBeLessThanOrEqual(1 + pauses)
  })

  it('probes in place of a job, which waits in the meantime', async ({ expect, ...test }) => {
    const { sim, baton, state, statesSeen } = await start(test, { count: 2 })
    sim.script({ fault: { kind: 'error-503' } })
    await until(() => state() === 'down')
    const job = await baton.chat('chat')
    await until(async () => (await statesSeen()).filter(seen => seen === 'probing').length >= 2)
    sim.script({})
    const { status, attempts } = await baton.ended(job)
    expect(status).toBe('succeeded')
    expect(attempts).toHaveLength(1)
  })

  it('stops a key that is refused, and says nothing against the provider', async ({ expect, ...test }) => {
    const { baton, cooldowns, state } = await start(test, { keys: ['bad', 'good'], count: 1 })
    const entry = await until(() => cooldowns.current()[0])
    expect(entry.scope).toMatch(/^key:only#/)
    expect(entry).toMatchObject({ state: 'stopped', reason: 'invalid_api_key' })
    expect(state()).toBe('healthy')
    expect((await baton.ended(await baton.chat('chat'))).status).toBe('succeeded')
  })

  it('asks nobody where all keys are stopped', async ({ expect, ...test }) => {
    const { sim, cooldowns, state } = await start(test, { keys: ['bad'], count: 1 })
    await until(() => cooldowns.current().length > 0)
    const before = sim.calls.calls
    sim.script({ fault: { kind: 'error-503' } })
    const startedAtMs = Date.now()
    await until(() => Date.now() > startedAtMs + 1_500)
    expect(sim.calls.calls).toBe(before)
    expect(state()).toBe('healthy')
  })
})
