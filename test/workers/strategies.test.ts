import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { chanceOf, explorers } from '../../src/domain/routing/strategy.ts'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { type BatonApi, openBaton } from '../support/open-baton.ts'

let first: SimProvider
let second: SimProvider
let baton: BatonApi
/** Another process of the same deployment, as far as Redis can tell. */
let other: BatonApi

beforeAll(async () => {
  first = createSimProvider()
  second = createSimProvider()
  await Promise.all([first.start(), second.start()])
  const provider = (sim: SimProvider) => ({
    type: 'openai',
    base_url: `${sim.url}/v1`,
    api_key: 'k',
    retries: 0,
    breaker: { min_calls: 1_000 },
  })
  const config = {
    providers: { first: provider(first), second: provider(second) },
    models: {
      halves: {
        provider: 'first',
        fallback_to: 'half',
        strategy: 'weighted',
        weights: { first: 1, half: 1 },
        // By default a job leaves a target where it has waited for two seconds, as it may on a machine that is busy.
        patience: '6s',
      },
      half: { provider: 'second' },
      rising: { provider: 'first', upstream_model: 'reset', fallback_to: 'sure', strategy: 'weighted' },
      sure: { provider: 'second' },
      cheapest: {
        provider: 'first',
        price: { input: 9, output: 9 },
        fallback_to: 'cheap',
        strategy: 'cheapest',
      },
      cheap: { provider: 'second', price: { input: 1, output: 1 } },
      fastest: { provider: 'first', upstream_model: 'slow-300ms', fallback_to: 'fast', strategy: 'fastest' },
      fast: { provider: 'second' },
      late: {
        ...{ provider: 'first', upstream_model: 'stream-slow-first-500ms' },
        ...{ fallback_to: 'trickling', strategy: 'fastest', patience: '20s' },
      },
      beginning: { provider: 'first', upstream_model: 'stream-slow-first-500ms' },
      trickling: { provider: 'second', upstream_model: 'stream-slow-tokens-100ms' },
      flaky: {
        ...priced(1),
        upstream_model: 'ok-then-fail-500',
        fallback_to: 'steady',
        strategy: 'cheapest',
      },
      steady: { ...priced(3), provider: 'second' },
      mended: { provider: 'first', upstream_model: 'mended', fallback_to: 'other', strategy: 'weighted' },
      other: { provider: 'second', upstream_model: 'other' },
    },
  }
  baton = await openBaton({ level: 'api', config })
  other = await openBaton({ level: 'api', config, prefix: baton.prefix, workers: [] })
})
afterAll(async () => {
  await Promise.all([baton.stop(), other.stop()])
  await Promise.all([first.stop(), second.stop()])
})

const priced = (price: number) => ({ provider: 'first', price: { input: price, output: price } })

const run = async (model: string, count: number, by: BatonApi = baton) => {
  const ids = await Promise.all(
    Array.from({ length: count }, (_, i) => by.chat(model, { user: `${model}-${i}` })),
  )
  return Promise.all(ids.map(id => by.ended(id)))
}
const answered = (jobs: Awaited<ReturnType<typeof run>>, provider: string): number =>
  jobs.filter(({ attempts }) => attempts.at(-1)?.provider === provider).length

interface Shown {
  readonly id: string
  readonly targets: {
    provider: string
    p95_ms: number | null
    first_token_p95_ms: number | null
    share: number | null
    recent_failures: number
  }[]
}
const shown = async (name: string, by: BatonApi = baton): Promise<Shown['targets']> => {
  const response = await fetch(`${by.url}/v1/routes`)
  const { data } = (await response.json()) as { data: Shown[] }
  return data.find(({ id }) => id === name)!.targets
}

describe('a route with a strategy', () => {
  it('shares jobs by weight, each called once where it was sent', async () => {
    const jobs = await run('halves', 100)
    expect(jobs.every(({ attempts, hop }) => attempts.length === 1 && hop === 0)).toBe(true)
    // Five standard deviations.
    expect(Math.abs(answered(jobs, 'first') - 50)).toBeLessThanOrEqual(25)
  })

  it('sends fewer jobs to one that fails, in every process, and answers them all', async () => {
    const jobs = await run('rising', 30)
    expect(answered(jobs, 'second')).toBe(30)
    // None goes to and fro: one call that failed at most, and then the one that did not.
    expect(jobs.every(({ attempts }) => attempts.length <= 2)).toBe(true)
    const share = async (): Promise<number> =>
      (await shown('rising', other)).find(({ provider }) => provider === 'first')!.share!
    await until(async () => (await share()) < 0.1)
    const ids = await Promise.all(Array.from({ length: 30 }, () => other.chat('rising')))
    const targets = await Promise.all(ids.map(id => baton.ended(id)))
    expect(targets.filter(({ attempts }) => attempts.length === 1).length).toBeGreaterThanOrEqual(20)
  })

  it('asks the cheapest first', async () => {
    expect(answered(await run('cheapest', 10), 'second')).toBe(10)
    expect(await shown('cheapest')).toMatchObject([
      { provider: 'second', usual_cost_usd: 0.0015 },
      { provider: 'first', usual_cost_usd: 0.0135 },
    ])
  })

  it('leaves the cheapest when its failures make it dear', async () => {
    // Of each user, the first call is answered and the others are not.
    const failing = async () => {
      const id = await baton.chat('flaky', { user: 'one' })
      return baton.ended(id)
    }
    for (let left = 8; left > 0; left--) await failing()
    const before = first.calls.identities.one!
    const jobs = await Promise.all(Array.from({ length: 20 }, failing))
    expect(jobs.every(({ attempts }) => attempts.at(-1)!.provider === 'second')).toBe(true)
    expect(first.calls.identities.one).toBe(before)
    expect(await shown('flaky')).toMatchObject([
      { provider: 'second', success_share: 1 },
      { provider: 'first', success_share: expect.toSatisfy((share: number) => share < 0.58) },
    ])
  })

  it('gives one that failed its share back at the first answer', async () => {
    const share = async (): Promise<number> =>
      (await shown('mended')).find(({ provider }) => provider === 'first')!.share!
    const { context } = baton
    const target = context.routes.get('mended')!.targets[0]!
    const failure = {
      kind: 'transient',
      reason: 'http_500',
      retryAfterMs: null,
      possiblyBilled: false,
    } as const
    for (let left = 6; left > 0; left--) context.targetStats.record(target, failure, 10, null)
    await until(async () => (await share()) < 0.1)
    // One in 65 is sent there: so many run until it has been asked.
    await until(async () => answered(await run('mended', 50), 'first') > 0)
    await until(async () => (await share()) === 0.5)
  })

  it('asks the fastest first once it is known, also from a process that called nobody', async () => {
    await run('fastest', 3)
    await run('fast', 3)
    await until(async () => (await shown('fastest', other)).every(({ p95_ms }) => p95_ms !== null))
    expect((await shown('fastest', other)).map(({ provider }) => provider)).toEqual(['second', 'first'])
    const jobs = await run('fastest', 60, other)
    for (const { id, attempts } of jobs)
      expect(attempts[0]!.provider).toBe(chanceOf(id)('explorer') < explorers ? 'first' : 'second')
  })

  it('asks for a stream who begins first, though the whole answer takes longer', async () => {
    const stream = async (model: string) => {
      const body = JSON.stringify({
        model,
        stream: true,
        messages: [{ role: 'user', content: 'x'.repeat(40) }],
      })
      const headers = { 'content-type': 'application/json' }
      const response = await fetch(`${baton.url}/v1/chat/completions`, { method: 'POST', headers, body })
      await response.text()
      return baton.ended(response.headers.get('x-baton-job-id')!)
    }
    // By routes of their own: by chance a call of `late` explores, and asks the other.
    await Promise.all([stream('beginning'), stream('trickling')])
    await until(async () => (await shown('late')).every(target => target.first_token_p95_ms !== null))
    expect((await shown('late')).map(({ provider }) => provider)).toEqual(['first', 'second'])
    for (const { id, attempts } of await Promise.all(Array.from({ length: 6 }, () => stream('late'))))
      expect(attempts[0]!.provider).toBe(chanceOf(id)('explorer') < explorers ? 'first' : 'second')
  })
})
