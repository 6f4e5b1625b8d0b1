import { afterAll, describe, expect, it } from 'vitest'
import type { Attempt } from '../../src/domain/job.ts'
import { answer, leaseMs, openStore } from './store-fixture.ts'

const { store, redis, keys, clock, running, claimed, close } = openStore()
afterAll(close)

const attempt = (started_at: number): Attempt => ({
  hop: 0,
  provider: 'first',
  model: 'a model with "quotes", a \\ and },{ in it',
  started_at,
  duration_ms: 5,
  status_code: 429,
  verdict: 'rate_limited',
  reason: 'rate_limit_exceeded',
  retry_after_ms: 20_000,
  possibly_billed: false,
})

describe('the log of attempts', () => {
  it('gives up its oldest calls but the first past 32 kB, and stays readable', async () => {
    const claim = await running()
    for (let i = 1; i <= 400; i++) await store.retry(claim, 0, [attempt(i)], i)
    const { attempts } = (await store.read(claim.id))!
    expect(attempts.length).toBeGreaterThan(100)
    const latest = Array.from({ length: attempts.length - 1 }, (_, i) => attempt(402 - attempts.length + i))
    expect(attempts).toEqual([attempt(1), ...latest])
    expect(await redis.hstrlen(keys.record(claim.id), 'attempts')).toBeLessThanOrEqual(32_768)
  })

  it('has a call once, though it is sent again after its reply was lost', async () => {
    const claim = await running()
    const send = () => store.retry(claim, 1, [attempt(1)], clock.nowMs + 250)
    expect([await send(), await send()]).toEqual([true, true])
    expect((await store.read(claim.id))!.attempts).toEqual([attempt(1)])
    clock.nowMs += leaseMs
    await store.recover((await store.read(claim.id))!)
    await claimed(claim.id, 'w2')
    expect(await send()).toBe(false)
  })

  it('has all calls that were made since, where one followed another at once', async () => {
    const claim = await running()
    await store.retry(claim, 2, [attempt(1), attempt(2)], clock.nowMs + 250)
    expect((await store.read(claim.id))!.attempts).toEqual([attempt(1), attempt(2)])
  })

  it('is carried on whoever writes to it', async () => {
    const first = await running({ target: { provider: 'first', model: 'with "quotes"/and slash' } })
    await store.retry(first, 1, [attempt(1)], 0)
    const target = { provider: 'second', model: 'm' }
    await store.advance(
      first,
      { hop: 1, generation: 0, target, attemptsSpent: 2, attempts: [attempt(2), attempt(3)] },
      0,
    )
    const second = await claimed(first.id, 'w2')
    clock.nowMs += leaseMs
    await store.recover((await store.read(second.id))!)
    const third = await claimed(first.id, 'w3')
    // A lost worker is not the job's fault.
    expect(third.attemptsSpent).toBe(2)
    await store.finalise(third, { ...answer('x'), attempts: [attempt(4)] })
    const { attempts } = (await store.read(second.id))!
    expect(attempts.map(a => (a.verdict === null ? a.reason : a.started_at))).toEqual([
      1,
      2,
      3,
      'worker_lost',
      4,
    ])
  })
})
