import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { type Baton, openBaton } from '../support/open-baton.ts'

let sim: SimProvider
/** Submits and reads; has no worker. */
let client: Baton

const config = () => ({
  providers: { first: { type: 'openai', base_url: `${sim.url}/v1`, api_key: 'k', concurrency: 2 } },
  models: Object.fromEntries(
    ['slow-600ms', 'hang-then-ok', 'gpt-4', 'throttle-1500ms-then-ok'].map(model => [
      model,
      { provider: 'first' },
    ]),
  ),
})
const startWorker = (graceMs: number) =>
  openBaton({ level: 'workers', config: config(), prefix: client.prefix, graceMs })

beforeAll(async () => {
  sim = createSimProvider()
  await sim.start()
  client = await openBaton({ level: 'workers', config: config(), workers: [] })
})
afterAll(async () => {
  await client.stop()
  await sim.stop()
})

describe('a worker that is stopped', () => {
  it('finishes the calls under way within its grace, and takes no new ones', async () => {
    const worker = await startWorker(10_000)
    const running = [await client.chat('slow-600ms'), await client.chat('slow-600ms')]
    await until(() => sim.calls.inFlight === 2)
    const waiting = await client.chat('gpt-4')
    await worker.stop()
    for (const id of running) {
      expect(await client.context.store.read(id)).toMatchObject({
        status: 'succeeded',
        attempts: [{ verdict: 'ok' }],
      })
    }
    expect(await client.context.store.read(waiting)).toMatchObject({ status: 'queued', attempts: [] })

    const next = await startWorker(1_000)
    expect((await client.ended(waiting)).status).toBe('succeeded')
    await next.stop()
  })

  it('hands calls back at once beyond its grace, for another to answer', async () => {
    const worker = await startWorker(50)
    const id = await client.chat('hang-then-ok', { user: 'handed-back' })
    await until(() => sim.calls.inFlight === 1)
    const askedAt = performance.now()
    await worker.stop()
    expect(performance.now() - askedAt).toBeLessThan(3_000)
    const interrupted = { hop: 0, verdict: null, reason: 'shutdown', possibly_billed: true }
    expect(await client.context.store.read(id)).toMatchObject({
      status: 'queued',
      hop: 0,
      attempts: [interrupted],
    })

    const next = await startWorker(1_000)
    const job = await client.ended(id)
    expect(job).toMatchObject({ status: 'succeeded', attempts: [interrupted, { hop: 0, verdict: 'ok' }] })
    expect(sim.calls.identities['handed-back']).toBe(2)
    await next.stop()
  })

  it('may be stopped twice, and leaves parked jobs to others', async () => {
    const worker = await startWorker(1_000)
    const id = await client.chat('throttle-1500ms-then-ok', { user: 'parked' })
    await until(async () => (await client.context.store.read(id))!.status === 'parked')
    await Promise.all([worker.stop(), worker.stop()])
    const next = await startWorker(1_000)
    expect((await client.ended(id)).attempts.map(a => a.verdict)).toEqual(['rate_limited', 'ok'])
    await next.stop()
  })
})
