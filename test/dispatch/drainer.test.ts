import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { createDrainer } from '../../src/dispatch/drainer.ts'
import type { Submission } from '../../src/dispatch/submit.ts'
import { createObstacleOf } from '../../src/health/obstacles.ts'
import { jobDoorbell } from '../../src/jobs/doorbell.ts'
import type { Claim } from '../../src/jobs/types.ts'
import { providerQueue } from '../../src/queue/doorbells.ts'
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
    config: {
      providers: { first: provider, second: provider },
      models: {
        chain: { provider: 'first', fallback_to: 'back' },
        lone: { provider: 'first' },
        back: { provider: 'second' },
      },
    },
    workers: ['second'],
    graceMs: 100,
  })
})
afterAll(async () => {
  await baton.stop()
  await sim.stop()
})

let tokens = 0
/** Of the first provider, which no worker attends to here. */
const drainer = () => {
  const { context } = baton
  const withoutWorkerSince = (provider: string): number => (provider === 'first' ? 1 : 0)
  return createDrainer({
    ...context,
    drainable: ['first'],
    formerProviders: async () => [],
    withoutWorkerSince,
    obstacleOf: createObstacleOf({ ...context, withoutWorkerSince }),
    maxAttempts: context.config.jobs.max_attempts,
    throttleOf: () => ({ tryAcquire: () => true }),
    mayEmpty: async () => true,
    newToken: () => `drainer-${tokens++}`,
    log: pino({ level: 'silent' }),
  })
}
const relieved = async (check: () => Promise<void>): Promise<void> => {
  const running = drainer()
  running.start()
  try {
    await check()
  } finally {
    await running.stop()
  }
}
const inQueue = (id: string, hop: number, generation: number) =>
  until(async () => {
    const waiting = await baton.context.doorbells.page(providerQueue('first'), 0, 1_000)
    return waiting.some(({ doorbell }) => doorbell === jobDoorbell(id, hop, generation))
  })

describe('the drainer of providers without a worker', () => {
  it('moves on a job that was parked before its provider lost its worker', async () => {
    const { context } = baton
    const id = await baton.chat('chain')
    const claim = (await context.store.claim(id, 0, 0, 'its-last-worker')) as Claim
    const move = { hop: 0, generation: 1, target: claim.target, attemptsSpent: 0, attempts: [] }
    await context.store.park(claim, move, context.now())
    await inQueue(id, 0, 1)
    await relieved(async () => {
      const job = await baton.ended(id)
      expect(job.attempts).toMatchObject([{ hop: 1, provider: 'second', verdict: 'ok' }])
    })
  })

  it('leaves a parked job without another target where a worker will find it', async () => {
    const { context } = baton
    const id = await baton.chat('lone')
    const claim = (await context.store.claim(id, 0, 0, 'its-last-worker')) as Claim
    await context.store.park(
      claim,
      { hop: 0, generation: 1, target: claim.target, attemptsSpent: 0, attempts: [] },
      context.now(),
    )
    await inQueue(id, 0, 1)
    await relieved(async () => {
      // One behind it was seen to.
      await baton.ended(await baton.chat('chain'))
    })
    await inQueue(id, 0, 1)
  })

  describe('a job that a connection waits for', () => {
    const asked = async (model: string, more: Partial<Submission> = {}) => {
      const body = { model, messages: [{ role: 'user', content: 'hello' }] }
      const submitted = await baton.submit({
        ...{
          tenant: 'default',
          endpoint: '/v1/chat/completions',
          model,
          body: JSON.stringify(body),
          parsedBody: body,
        },
        ...{
          windowMs: 600_000,
          webhook: null,
          metadata: null,
          priority: 'default',
          retryOf: null,
          idempotency: null,
        },
        class: 'interactive',
        ...more,
      })
      return submitted.id
    }

    it('is told that nobody can serve it where it has no other target, and its key is free again', async () => {
      const key = { idempotency: { key: 'k-1', request: 'r' } }
      const id = await asked('lone', key)
      await relieved(async () => {
        const job = await baton.ended(id)
        expect(job).toMatchObject({ status: 'failed', attempts: [], error: { code: 'targets_unavailable' } })
        expect(job.error?.message).toContain('No worker is running')
      })
      expect(await asked('lone', key)).not.toBe(id)
    })

    it('goes to the next target where there is one', async () => {
      const id = await asked('chain')
      await relieved(async () => {
        expect(await baton.ended(id)).toMatchObject({
          status: 'succeeded',
          attempts: [{ provider: 'second' }],
        })
      })
    })
  })
})
