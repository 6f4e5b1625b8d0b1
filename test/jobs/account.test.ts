import { afterAll, describe, expect, it } from 'vitest'
import type { Attempt } from '../../src/domain/job.ts'
import type { Claim } from '../../src/jobs/types.ts'
import { answer, failure, leaseMs, openStore } from './store-fixture.ts'

const { store, clock, running, claimed, close } = openStore()
afterAll(close)

const price = 0.5

const call = (started_at: number, more: Partial<Attempt> = {}): Attempt => ({
  hop: 0,
  provider: 'first',
  model: 'gpt/4',
  started_at,
  duration_ms: 5,
  status_code: 200,
  verdict: 'ok',
  reason: 'ok',
  possibly_billed: true,
  cost_usd: price,
  ...more,
})
const failed = (started_at: number): Attempt =>
  call(started_at, {
    verdict: 'transient',
    reason: 'with "quotes", "run":"w1"} and },{"hop": in it',
    status_code: 500,
  })

/** A job whose worker fell silent in the middle of a call, and the one that has it since. */
const stolen = async (): Promise<{ zombie: Claim; holder: Claim }> => {
  const zombie = await running()
  clock.nowMs += leaseMs
  await store.recover((await store.read(zombie.id))!)
  return { zombie, holder: await claimed(zombie.id, 'w2') }
}

/** Each call by when it began, or why nobody knows. */
const billOf = async (id: string) => {
  const { attempts, costUsd, status } = (await store.read(id))!
  return { status, calls: attempts.map(a => (a.verdict === null ? a.reason : a.started_at)), costUsd }
}

const won = (attempts: readonly Attempt[]) => ({ ...answer('x'), attempts, costUsd: price * attempts.length })

describe('a job that two workers called for', () => {
  it('has both calls and both prices when the one that lost it answers first', async () => {
    const { zombie, holder } = await stolen()
    clock.nowMs += 1_000
    expect(await store.finalise(zombie, won([call(1)]))).toBe(true)
    const superseded = (await store.read(zombie.id))!.attempts[0]
    expect(superseded).toEqual({
      ...{ hop: 0, provider: 'first', model: 'gpt/4', started_at: (clock.nowMs - 1_000) / 1_000 },
      ...{
        duration_ms: 1_000,
        status_code: null,
        verdict: null,
        reason: 'superseded',
        possibly_billed: true,
      },
    })
    expect(await billOf(zombie.id)).toMatchObject({ calls: ['superseded', 1], costUsd: price })

    expect(await store.finalise(holder, won([call(2)]))).toBe(false)
    expect(await store.account(holder, [call(2)])).toBe(true)
    expect(await billOf(zombie.id)).toEqual({ status: 'succeeded', calls: [2, 1], costUsd: 2 * price })
  })

  it('has both when the one that lost it answers last', async () => {
    const { zombie, holder } = await stolen()
    await store.finalise(holder, won([call(2)]))
    expect(await billOf(zombie.id)).toMatchObject({ calls: ['worker_lost', 2], costUsd: price })
    expect(await store.finalise(zombie, won([call(1)]))).toBe(false)
    expect(await store.account(zombie, [call(1)])).toBe(true)
    expect(await billOf(zombie.id)).toEqual({ status: 'succeeded', calls: [1, 2], costUsd: 2 * price })
  })

  it('has all calls of the one that lost it, wherever it tells of them', async () => {
    const { zombie, holder } = await stolen()
    expect(await store.retry(zombie, 1, [failed(1), failed(2)], 0)).toBe(false)
    expect(await store.account(zombie, [failed(1), failed(2)])).toBe(true)
    expect(await store.retry(holder, 1, [failed(3)], clock.nowMs + 1)).toBe(true)
    await store.finalise(holder, won([call(4)]))
    expect((await billOf(zombie.id)).calls).toEqual([1, 2, 3, 4])
    expect((await store.read(zombie.id))!.attempts[0]).toEqual(failed(1))
  })

  it('has one as its worker knows it best, told how often so ever', async () => {
    const { zombie } = await stolen()
    expect(await store.account(zombie, [failed(1)])).toBe(true)
    expect(await store.account(zombie, [failed(1)])).toBe(false)
    expect((await billOf(zombie.id)).calls).toEqual([1])
  })

  it('keeps no call that was never made', async () => {
    const { zombie, holder } = await stolen()
    await store.retry(holder, 1, [failed(2)], clock.nowMs + 1)
    expect(await store.account(zombie, [])).toBe(true)
    expect((await billOf(zombie.id)).calls).toEqual([2])
  })

  it('is not failed by the one that lost it, whose calls it has', async () => {
    const { zombie } = await stolen()
    expect(await store.finalise(zombie, { ...failure, attempts: [failed(1)] })).toBe(false)
    await store.account(zombie, [failed(1)])
    expect(await billOf(zombie.id)).toMatchObject({ status: 'running', calls: [1] })
  })
})

describe.each([
  ['cancelled', (id: string) => store.cancel(id)],
  ['expired', (id: string) => store.expire(id, 0)],
] as const)('a job that was %s in the middle of a call', (status, end) => {
  it('has the calls that its worker had made and not logged', async () => {
    const claim = await running()
    await end(claim.id)
    expect(await billOf(claim.id)).toMatchObject({ status, calls: [status], costUsd: null })
    await store.account(claim, [failed(1), call(2, { verdict: null, reason: status, cost_usd: 0 })])
    expect(await billOf(claim.id)).toEqual({ status, calls: [1, status], costUsd: price })
  })

  it('has none when its worker was waiting to call', async () => {
    const claim = await running()
    await end(claim.id)
    await store.account(claim, [])
    expect(await billOf(claim.id)).toEqual({ status, calls: [], costUsd: null })
  })

  it('has its end once, though an answer comes later', async () => {
    const claim = await running()
    await end(claim.id)
    expect(await store.finalise(claim, won([call(1)]))).toBe(false)
    await store.account(claim, [call(1)])
    expect(await billOf(claim.id)).toEqual({ status, calls: [1], costUsd: price })
  })
})
