import { Queue } from 'bullmq'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { providerQueue, queueName } from '../../src/queue/doorbells.ts'
import { newJobId } from '../../src/redis/keys.ts'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { type Baton, openBaton } from '../support/open-baton.ts'

let sim: SimProvider
let baton: Baton
/** A second process with workers of the same provider. */
let other: Baton
let queue: Queue

beforeAll(async () => {
  sim = createSimProvider()
  await sim.start()
  const config = {
    providers: { first: { type: 'openai', base_url: `${sim.url}/v1`, api_key: 'k' } },
    models: { 'gpt-4': { provider: 'first' }, 'slow-400ms': { provider: 'first' } },
  }
  baton = await openBaton({ level: 'workers', config })
  other = await openBaton({ level: 'workers', config, prefix: baton.prefix })
  queue = new Queue(queueName(providerQueue('first')), {
    connection: baton.context.redis,
    prefix: baton.prefix,
  })
})
afterAll(async () => {
  await queue.close()
  await Promise.all([baton.stop(), other.stop()])
  await sim.stop()
})

/** Rings a job's first doorbell again, under ids that BullMQ takes for others. */
const ringAgain = (id: string, times: number) =>
  queue.addBulk(
    Array.from({ length: times }, (_, i) => ({
      name: 'j',
      data: {},
      opts: { jobId: `${id}.0.0.again${i}` },
    })),
  )
const isQuiet = async () => {
  const { wait, active } = await queue.getJobCounts('wait', 'active')
  return wait === 0 && active === 0
}

describe('a doorbell that rings more than once', () => {
  it('causes one upstream call, whether the job is queued, running or finished', async () => {
    const id = await baton.chat('slow-400ms', { user: 'duplicated' })
    await ringAgain(id, 10)
    await until(() => sim.calls.inFlight === 1)
    await ringAgain(id, 30)
    const job = await baton.ended(id)
    await ringAgain(id, 50)
    await until(isQuiet)
    expect(job.attempts.map(a => a.verdict)).toEqual(['ok'])
    expect(sim.calls.identities.duplicated).toBe(1)
    expect(await baton.context.store.read(id)).toEqual(job)
  })
})

describe('a job that was written and never rung', () => {
  it('is rung by whatever process sweeps, and answered', async () => {
    const createdAtMs = Date.now()
    const ids = Array.from({ length: 16 }, (_, shard) => newJobId(shard, createdAtMs))
    // As a submit that died between the record and the doorbell leaves it.
    await Promise.all(
      ids.map(id =>
        baton.context.store.create({
          id,
          tenant: 'default',
          endpoint: '/v1/chat/completions',
          model: 'gpt-4',
          body: JSON.stringify({ model: 'gpt-4', messages: [{ role: 'user', content: 'hello' }], user: id }),
          tokens: 500,
          createdAtMs,
          expiresAtMs: createdAtMs + 60_000,
          target: { provider: 'first', model: 'gpt-4' },
          priority: 'default',
          webhook: null,
          metadata: null,
          retryOf: null,
          idempotency: null,
        }),
      ),
    )
    const jobs = await Promise.all(ids.map(baton.ended))
    expect(new Set(jobs.map(job => job.status))).toEqual(new Set(['succeeded']))
    expect(ids.map(id => sim.calls.identities[id])).toEqual(ids.map(() => 1))
  })
})
