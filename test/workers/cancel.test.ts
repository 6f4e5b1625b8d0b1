import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { chanceOf } from '../../src/domain/routing/strategy.ts'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { type Baton, openBaton } from '../support/open-baton.ts'

let sim: SimProvider
/** The process whose worker makes the calls, and another that only shares its Redis. */
let worker: Baton
let other: Baton

beforeAll(async () => {
  sim = createSimProvider()
  await sim.start()
  const models = ['hang', 'gpt-4', 'fail-500', 'throttle-60000ms']
  const config = {
    providers: {
      first: {
        type: 'openai',
        base_url: `${sim.url}/v1`,
        api_key: 'k',
        breaker: { min_calls: 100_000 },
        backoff: { base: '2s' },
      },
    },
    models: Object.fromEntries(models.map(model => [model, { provider: 'first' }])),
  }
  worker = await openBaton({ level: 'workers', config })
  other = await openBaton({ level: 'workers', config, prefix: worker.prefix, workers: [] })
})
afterAll(async () => {
  await Promise.all([worker.stop(), other.stop()])
  await sim.stop()
})

const statusOf = async (id: string) => (await other.context.store.read(id))!.status

describe('a cancel from another process', () => {
  it('drops the call of a running job at once', async () => {
    const id = await other.chat('hang')
    await until(() => sim.calls.inFlight === 1)
    expect(await other.context.store.cancel(id)).toBe('running')
    const askedAt = performance.now()
    await until(() => sim.calls.inFlight === 0)
    expect(performance.now() - askedAt).toBeLessThan(10_000)
    expect(await other.context.store.read(id)).toMatchObject({
      status: 'cancelled',
      error: { code: 'cancelled' },
      attempts: [{ verdict: null, reason: 'cancelled', possibly_billed: true }],
    })
  })

  it('leaves the calls of others alone', async () => {
    const [dropped, kept] = [await other.chat('hang'), await other.chat('hang')]
    await until(() => sim.calls.inFlight === 2)
    await other.context.store.cancel(dropped)
    await until(() => sim.calls.inFlight === 1)
    expect(await statusOf(kept)).toBe('running')
    await other.context.store.cancel(kept)
    await until(() => sim.calls.inFlight === 0)
  })

  it('keeps a job that waits for its retry from being called again', async () => {
    const waitOf = (job: string): number => chanceOf(job)('first/fail-500#1')
    // One whose wait is long enough to cancel it in, but not the longest: one that waits longer is soon found then. Hundreds that
    // fail would open the circuit, which has the control wait for half a minute.
    let [id, user, tries] = ['', '', 0]
    do {
      user = `cancelled-in-retry-${tries++}`
      id = await other.chat('fail-500', { user })
    } while (waitOf(id) < 0.7 || waitOf(id) > 0.9)
    await until(async () => (await other.context.store.read(id))!.attempts.length === 1)
    await other.context.store.cancel(id)
    // By the time that this one was called again, the other would have been.
    let [control, controlId] = ['', '']
    do {
      control = `control-${tries++}`
      controlId = await other.chat('fail-500', { user: control })
    } while (waitOf(controlId) < waitOf(id))
    await until(() => sim.calls.identities[control]! >= 2)
    expect(await statusOf(id)).toBe('cancelled')
    expect(sim.calls.identities[user]).toBe(1)
  })

  it('keeps a parked job from coming back', async () => {
    const id = await other.chat('throttle-60000ms')
    await until(async () => (await statusOf(id)) === 'parked')
    expect(await other.context.store.cancel(id)).toBe('parked')
    expect(await other.context.store.read(id)).toMatchObject({ status: 'cancelled', resumesAtMs: null })
  })

  it('comes too late for a finished job', async () => {
    const id = await other.chat('gpt-4')
    await other.ended(id)
    expect(await other.context.store.cancel(id)).toBe('succeeded')
    expect(await statusOf(id)).toBe('succeeded')
  })
})
