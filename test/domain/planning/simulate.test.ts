import { describe, expect, test } from 'vitest'
import type { Capacity } from '../../../src/domain/planning/demand.ts'
import type { PastJob } from '../../../src/domain/planning/past-durations.ts'
import { type Scenario, simulate } from '../../../src/domain/planning/simulate.ts'
import { chainOf, type RouteBook } from '../../../src/domain/routing/chain.ts'

const book: RouteBook = {
  providers: { openai: { models: {} }, anthropic: { models: {} }, local: { models: {} } },
  models: {
    'gpt-4': { provider: 'openai', fallback_to: 'claude', price: { input: 10, output: 20 } },
    claude: { provider: 'anthropic', price: { input: 20, output: 40 } },
    alone: { provider: 'openai' },
    small: { provider: 'openai', fallback_to: 'tiny' },
    tiny: { provider: 'local', context_window: 100 },
  },
}

const scenario = (
  outages: readonly string[],
  capacities: Readonly<Record<string, Capacity>> = {},
  more: Partial<Scenario> = {},
): Scenario => ({
  targetsOf: model => (Object.hasOwn(book.models, model) ? chainOf(book, model) : undefined),
  serves: () => true,
  order: (_, targets) => targets,
  capacities: new Map(Object.entries(capacities)),
  outages: new Set(outages),
  ...more,
})

const job = (model: string, atMs = 0, more: Partial<NonNullable<PastJob['answer']>> = {}): PastJob => ({
  id: 'job_1',
  model,
  endpoint: '/v1/chat/completions',
  createdAtMs: atMs,
  answer: {
    provider: 'openai',
    model,
    durationMs: 500,
    usage: { input_tokens: 1_000, output_tokens: 500 },
    ...more,
  },
})
const byClaude = job('claude', 0, { provider: 'anthropic', durationMs: 2_000 })
const none = { rpm: null, tpm: null }

describe('simulate', () => {
  test('without an outage all is as it was', () => {
    const result = simulate([job('gpt-4'), job('gpt-4', 1_000), byClaude], scenario([]))
    expect(result).toMatchObject({ answered: 3, waited: 0, stranded: 0, failed: 0, refused: 0 })
    expect(result.providers).toEqual([
      { provider: 'openai', jobs: 2, peak: { requests: 2, tokens: 3_000 }, capacity: none, costUsd: 0.04 },
      { provider: 'anthropic', jobs: 1, peak: { requests: 1, tokens: 1_500 }, capacity: none, costUsd: 0.04 },
    ])
    expect(result.costUsd).toBeCloseTo(0.08)
    expect(result.latencyMs).toEqual({ median: 500, p95: 2_000 })
  })

  test('an outage sends its jobs along their chain, at the cost and in the time of who answers', () => {
    const result = simulate([job('gpt-4'), job('gpt-4', 1_000), byClaude], scenario(['openai']))
    expect(result).toMatchObject({ answered: 3, latencyMs: { median: 2_000, p95: 2_000 }, untimed: 0 })
    expect(result.providers).toMatchObject([{ provider: 'anthropic', jobs: 3 }])
    expect(result.costUsd).toBeCloseTo(0.12)
  })

  test.each<[string, PastJob, Scenario, object]>([
    ['a chain of one provider parks', job('alone'), scenario(['openai']), { stranded: 1, answered: 0 }],
    [
      'all providers of the chain out',
      job('gpt-4'),
      scenario(['openai', 'anthropic']),
      { stranded: 1, answered: 0 },
    ],
    ['a prompt too long for who is left', job('small'), scenario(['openai']), { stranded: 1, answered: 0 }],
    [
      'one that fits',
      job('small', 0, { usage: { input_tokens: 60, output_tokens: 40 } }),
      scenario(['openai']),
      { stranded: 0, answered: 1, unpriced: 1, untimed: 1, latencyMs: null },
    ],
    [
      'an endpoint that only the lost one serves',
      job('gpt-4'),
      scenario(['openai'], {}, { serves: provider => provider === 'openai' }),
      { stranded: 1, answered: 0 },
    ],
    [
      'an endpoint that nobody serves',
      job('gpt-4'),
      scenario([], {}, { serves: () => false }),
      { failed: 1, answered: 0 },
    ],
    ['a route that is gone from the config', job('gpt-3'), scenario([]), { refused: 1, answered: 0 }],
    [
      'a job that was never answered is tried, at no known cost',
      { ...job('gpt-4'), answer: null },
      scenario([]),
      { answered: 1, unpriced: 1, untimed: 1 },
    ],
  ])('%s', (_, past, where, expected) => {
    expect(simulate([past], where)).toMatchObject(expected)
  })

  test('the order of a route is asked for among those that can serve', () => {
    const order: Scenario['order'] = (_, targets) => targets.toReversed()
    expect(simulate([job('gpt-4')], scenario([], {}, { order })).providers).toMatchObject([
      { provider: 'anthropic', jobs: 1 },
    ])
    expect(simulate([job('small')], scenario([], {}, { order })).providers).toMatchObject([
      { provider: 'openai', jobs: 1 },
    ])
  })

  test('what is beyond a limit goes on to the next target, and waits only at the last', () => {
    const jobs = [3, 2, 1, 0].map(second => job('gpt-4', second * 1_000))
    const limited = { openai: { rpm: 1, tpm: null }, anthropic: { rpm: 2, tpm: null } }
    const calm = simulate(jobs, scenario([], limited))
    expect(calm.providers).toMatchObject([
      { provider: 'anthropic', jobs: 2, peak: { requests: 2 } },
      { provider: 'openai', jobs: 2, peak: { requests: 1 } },
    ])
    // The fourth is taken by openai a minute after the first.
    expect(calm).toMatchObject({ answered: 4, waited: 1, longestWaitMs: 57_000 })

    const out = simulate(jobs, scenario(['openai'], limited))
    expect(out).toMatchObject({ answered: 4, waited: 2, longestWaitMs: 58_000 })
    expect(out.providers).toMatchObject([{ provider: 'anthropic', jobs: 4, peak: { requests: 2 } }])
  })
})
