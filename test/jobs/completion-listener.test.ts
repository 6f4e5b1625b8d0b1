import { pino } from 'pino'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { isTerminal } from '../../src/domain/job.ts'
import { type CompletionListener, createCompletionListener } from '../../src/jobs/completion-listener.ts'
import { createSubscriber } from '../../src/redis/connect.ts'
import { testRedis } from '../support/redis.ts'
import { answer, openStore } from './store-fixture.ts'

const fixture = openStore()
const { keys, redis, store, created, running } = fixture
afterAll(() => fixture.close())

const silent = pino({ level: 'silent' })
const forever = new AbortController().signal

const openWaiter = async () => {
  const subscriber = createSubscriber(testRedis().url, silent)
  const waiter = createCompletionListener(subscriber, keys, silent)
  await waiter.start()
  return {
    waiter,
    subscriber,
    [Symbol.dispose]: () => {
      waiter.stop()
      subscriber.disconnect()
    },
  }
}

/** Asks the record, and counts how often. */
const asking = (id: string) => {
  const hasEnded = vi.fn(async () => isTerminal((await store.readHeads([id]))[0]!.status))
  return {
    hasEnded,
    waits: (waiter: CompletionListener, fresh: boolean) => waiter.wait(id, forever, hasEnded, fresh),
  }
}

describe('the completion listener', () => {
  it('hears of the ends of jobs that end together, without a look at their records', async () => {
    using open = await openWaiter()
    const claims = await Promise.all([running(), running(), running()])
    const asked = claims.map(({ id }) => asking(id))
    const waiting = asked.map(one => one.waits(open.waiter, true))
    await Promise.all(claims.map(claim => store.finalise(claim, answer('x'))))
    await Promise.all(waiting)
    for (const { hasEnded } of asked) expect(hasEnded).not.toHaveBeenCalled()
    expect(open.waiter.awaitedJobs()).toEqual([])
  })

  it('hears of a job that is cancelled', async () => {
    using open = await openWaiter()
    const id = await created()
    const waiting = asking(id).waits(open.waiter, true)
    await store.cancel(id)
    await waiting
  })

  it('finds that a job had ended before, and waits for one that has not', async () => {
    using open = await openWaiter()
    const claim = await running()
    const early = asking(claim.id)
    const waiting = early.waits(open.waiter, false)
    await vi.waitUntil(() => early.hasEnded.mock.settledResults.length === 1)
    expect(open.waiter.awaitedJobs()).toEqual([claim.id])
    await store.finalise(claim, answer('x'))
    await waiting
    await asking(claim.id).waits(open.waiter, false)
  })

  // Well under the time after which it looks again in any case.
  it('finds an end that was told while its connection was down', { timeout: 10_000 }, async () => {
    using open = await openWaiter()
    const claim = await running()
    const waiting = asking(claim.id).waits(open.waiter, true)
    const address = `${open.subscriber.stream.localAddress}:${open.subscriber.stream.localPort}`
    const down = new Promise(resolve => open.subscriber.once('close', resolve))
    await redis.client('KILL', 'ADDR', address)
    await down
    await store.finalise(claim, answer('x'))
    await waiting
  })

  it('lets go when the request does', async () => {
    using open = await openWaiter()
    const id = await created()
    const gone = new AbortController()
    const waiting = open.waiter.wait(id, gone.signal, async () => false, true)
    gone.abort()
    await waiting
    expect(open.waiter.awaitedJobs()).toEqual([])
  })
})
