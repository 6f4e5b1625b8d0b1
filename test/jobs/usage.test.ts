import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import type { Attempt } from '../../src/domain/job.ts'
import { formatTarget } from '../../src/jobs/record.ts'
import type { Claim, JobResult } from '../../src/jobs/types.ts'
import { createUsage, type UsageSum } from '../../src/jobs/usage.ts'
import { answeredBy } from '../../src/jobs/view.ts'
import { answer, failure, leaseMs, openStore } from './store-fixture.ts'

const { store, redis, keys, clock, running, created, claimed, close } = openStore()
afterAll(close)

const usage = createUsage(redis, keys)
/** An hour that no other test has. */
beforeEach(() => {
  clock.nowMs += 7_200_000
})

const hourMs = 3_600_000
const sums = (): Promise<readonly UsageSum[]> =>
  usage.read(Math.floor(clock.nowMs / hourMs), Math.floor(clock.nowMs / hourMs))

/** The same for the same seed: a failure can be looked at again. */
const randomOf = (seed: number) => {
  let state = seed
  return (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((state / 2_147_483_648) * below)
  }
}

const call = (cost: number | undefined, more: Partial<Attempt> = {}): Attempt => ({
  ...{ hop: 0, provider: 'first', model: 'gpt/4', started_at: 1, duration_ms: 5, status_code: 500 },
  ...{ verdict: 'transient', reason: 'with "cost_usd":9, in it', possibly_billed: true },
  ...(cost !== undefined && { cost_usd: cost }),
  ...more,
})

describe('what jobs used', () => {
  it('is counted once, by hour, route, provider and model', async () => {
    const claim = await running()
    const end: JobResult = {
      ...answer('x'),
      usage: { input_tokens: 7, cache_read_tokens: 3, output_tokens: 5 },
      attempts: [call(0.25), call(0.25, { verdict: 'ok', model: 'gpt/5' })],
    }
    expect(await store.finalise(claim, end)).toBe(true)
    expect(await store.finalise(claim, end)).toBe(false)
    await store.finalise(await running({ model: 'a b\nc' }), { ...failure, attempts: [call(undefined)] })
    await store.finalise(await running(), { ...answer('x'), costUsd: null })
    const none = { requests: 1, failed: 0, input: 0, cached: 0, output: 0, cost: 0, unpriced: 0 }
    const first = { route: 'gpt-4', provider: 'first', model: 'gpt/4' }
    const found = await sums()
    expect(
      found.map(({ hour: _, ...sum }) => sum).toSorted((a, b) => a.cost - b.cost || a.input - b.input),
    ).toEqual([
      { ...none, ...first, route: 'a b\nc', failed: 1 },
      { ...none, ...first, input: 2, output: 1, unpriced: 1 },
      { ...none, ...first, model: 'gpt/5', input: 7, cached: 3, output: 5, cost: 50_000_000 },
    ])
  })

  it('is forgotten after 400 days', async () => {
    await store.finalise(await running(), answer('x'))
    const days = (await redis.pttl(keys.usage(5, Math.floor(clock.nowMs / hourMs)))) / 86_400_000
    expect(days).toBeGreaterThan(399)
    expect(days).toBeLessThanOrEqual(400)
  })
})

describe.each([1, 2, 3, 4, 5])('jobs that end in any way, with calls repeated (seed %i)', seed => {
  const random = randomOf(seed)
  const cost = (): number | undefined => (random(4) === 0 ? undefined : random(1_000_000) / 1e8)

  /** As after a lost reply. */
  const repeated = async (write: () => Promise<unknown>): Promise<void> => {
    for (let times = random(3); times >= 0; times--) await write()
  }

  const calls = (): Attempt[] =>
    Array.from({ length: random(3) }, () => call(cost(), random(2) === 0 ? { verdict: 'ok' } : {}))

  const ended = (attempts: readonly Attempt[]): JobResult => {
    const costs = attempts.flatMap(attempt => attempt.cost_usd ?? [])
    const costUsd = costs.length === 0 ? null : Math.round(costs.reduce((a, b) => a + b) * 1e8) / 1e8
    if (random(3) === 0) return { ...failure, attempts, costUsd }
    const tokens = { input_tokens: random(50), cache_read_tokens: 1 + random(9), output_tokens: random(9) }
    return { ...answer('x'), attempts, costUsd, usage: random(4) === 0 ? null : tokens }
  }

  const end = async (claim: Claim): Promise<void> => {
    const attempts = calls()
    const result = ended(attempts)
    const way = random(5)
    if (way === 0) await repeated(() => store.cancel(claim.id))
    if (way === 1) await repeated(() => store.expire(claim.id, 0))
    await repeated(() => store.finalise(claim, result))
    await repeated(() => store.account(claim, attempts))
  }

  const live = async (): Promise<string> => {
    if (random(6) === 0) {
      const id = await created()
      await repeated(() => store.cancel(id))
      return id
    }
    const claim = await running({ model: `route-${random(3)}` })
    if (random(3) === 0) await store.retry(claim, 1, calls(), clock.nowMs)
    if (random(2) === 0) await end(claim)
    else {
      clock.nowMs += leaseMs
      await store.recover((await store.read(claim.id))!)
      const holder = await claimed(claim.id, 'w2')
      for (const each of random(2) === 0 ? [claim, holder] : [holder, claim]) await end(each)
    }
    return claim.id
  }

  it('sum up to what their records say', async () => {
    clock.nowMs = Math.ceil(clock.nowMs / hourMs) * hourMs
    const ids: string[] = []
    for (let i = 0; i < 60; i++) ids.push(await live())
    const wanted: Record<string, number[]> = {}
    const add = (name: string, amounts: readonly number[]): void => {
      wanted[name] = amounts.map((amount, i) => amount + (wanted[name]?.[i] ?? 0))
    }
    for (const id of ids) {
      const record = (await store.read(id))!
      const { usage: tokens, costUsd, status, model } = record
      const isGood = status === 'succeeded'
      add(`${model} ${formatTarget(answeredBy(record))}`, [
        ...[1, isGood ? 0 : 1, tokens?.input_tokens ?? 0, tokens?.cache_read_tokens ?? 0],
        ...[tokens?.output_tokens ?? 0, Math.round((costUsd ?? 0) * 1e8)],
        costUsd === null && (isGood || tokens !== null) ? 1 : 0,
      ])
    }
    const found: Record<string, number[]> = {}
    for (const {
      route,
      provider,
      model,
      requests,
      failed,
      input,
      cached,
      output,
      cost,
      unpriced,
    } of await sums())
      found[`${route} ${provider}/${model}`] = [requests, failed, input, cached, output, cost, unpriced]
    expect(found).toEqual(wanted)
  })
})
