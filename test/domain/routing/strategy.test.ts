import { describe, expect, test } from 'vitest'
import { type Choice, chanceOf, orderTargets, type Strategy } from '../../../src/domain/routing/strategy.ts'
import type { TargetFigures } from '../../../src/domain/routing/target-stats.ts'
import type { Price } from '../../../src/domain/usage.ts'

interface Named {
  readonly name: string
  readonly weight?: number
  readonly figures?: Partial<TargetFigures>
  readonly price?: Price
}

const choiceOf = (strategy: Strategy, job: string, more: Partial<Choice<Named>> = {}): Choice<Named> => ({
  strategy,
  weightOf: ({ weight = 1 }) => weight,
  figuresOf: ({ figures }) => ({
    ...{ failures: 0, successShare: 1, p95Ms: null, firstTokenP95Ms: null },
    ...figures,
  }),
  isStreamed: false,
  tokens: { input: 1_000, output: 500 },
  chance: chanceOf(job),
  keyOf: ({ name }) => name,
  ...more,
})
const orderOf = (targets: Named[], strategy: Strategy, job = 'job', more: Partial<Choice<Named>> = {}) =>
  orderTargets(targets, choiceOf(strategy, job, more))
    .map(({ name }) => name)
    .join(' ')
const jobs = Array.from({ length: 10_000 }, (_, i) => `job_${i}`)
/** Of jobs, by which target is at this place of their order. */
const sharesAt = (place: number, targets: Named[], strategy: Strategy) => {
  const counts: Record<string, number> = {}
  for (const job of jobs) {
    const name = orderOf(targets, strategy, job).split(' ')[place]!
    counts[name] = (counts[name] ?? 0) + 1 / jobs.length
  }
  return counts
}
const close = (share: number) => expect.closeTo(share, 1)

describe('strategies', () => {
  describe('weighted', () => {
    const targets: Named[] = [
      { name: 'a', weight: 3 },
      { name: 'b', weight: 1 },
      { name: 'c', weight: 0 },
    ]

    test('each is first for its share, and second by share of the rest', () => {
      expect(sharesAt(0, targets, 'weighted')).toEqual({ a: close(0.75), b: close(0.25) })
      expect(sharesAt(2, targets, 'weighted')).toEqual({ c: close(1) })
      const equal = ['a', 'b', 'c', 'd'].map(name => ({ name }))
      for (const place of [0, 1, 3])
        expect(sharesAt(place, equal, 'weighted')).toEqual({
          a: close(0.25),
          b: close(0.25),
          c: close(0.25),
          d: close(0.25),
        })
    })

    test('a failure halves the weight', () => {
      const failing = [{ name: 'a', figures: { failures: 2 } }, { name: 'b' }]
      expect(sharesAt(0, failing, 'weighted')).toEqual({ a: close(0.2), b: close(0.8) })
    })

    test('a job’s order is always the same', () => {
      for (const job of jobs.slice(0, 100))
        expect(orderOf(targets, 'weighted', job)).toBe(orderOf(targets, 'weighted', job))
    })
  })

  describe('cheapest', () => {
    const reader = { name: 'reader', price: { input: 1, output: 10 } }
    const writer = { name: 'writer', price: { input: 5, output: 5 } }
    const free = { name: 'free', price: { input: 0, output: 0 } }
    const unknown = { name: 'unknown' }

    test.each([
      ['long prompts', { input: 9_000, output: 100 }, 'free reader writer unknown'],
      ['long answers', { input: 100, output: 900 }, 'free writer reader unknown'],
    ])('counts what the request will cost: %s', (_, tokens, order) => {
      expect(orderOf([unknown, reader, writer, free], 'cheapest', 'job', { tokens })).toBe(order)
    })

    const cheap = (successShare: number, price = 1): Named => ({
      name: 'cheap',
      price: { input: price, output: price },
      figures: { successShare },
    })
    const dear = { name: 'dear', price: { input: 2, output: 2 } }
    test.each([
      ['fails seldom', cheap(0.9), 'cheap dear'],
      ['fails so often that another is as cheap', cheap(0.6), 'dear cheap'],
      ['fails often, but costs far less', cheap(0.6, 0.1), 'cheap dear'],
      ['costs nothing and fails often', cheap(0.6, 0), 'cheap dear'],
      ['costs nothing and fails more often than not', cheap(0.4, 0), 'dear cheap'],
    ])('divides the price by what comes of it: one that %s', (_, target, order) => {
      expect(orderOf([target, dear], 'cheapest')).toBe(order)
      expect(orderOf([dear, target], 'cheapest')).toBe(order)
    })

    test('keeps to the chain where prices are equal or unknown', () => {
      expect(orderOf([{ name: 'z' }, { name: 'a' }], 'cheapest')).toBe('z a')
    })
  })

  describe('fastest', () => {
    const targets = [
      { name: 'slow', figures: { p95Ms: 900 } },
      { name: 'unknown' },
      { name: 'fast', figures: { p95Ms: 100 } },
    ]

    test('asks the fastest first, and in one job of twenty one of the others, each as often', () => {
      const shares = sharesAt(0, targets, 'fastest')
      expect(shares.fast).toBeCloseTo(0.95, 2)
      expect(shares.slow).toBeCloseTo(0.025, 2)
      expect(shares.unknown).toBeCloseTo(0.025, 2)
      const orders = new Set(jobs.map(job => orderOf(targets, 'fastest', job)))
      expect(orders).toEqual(new Set(['fast slow unknown', 'slow fast unknown', 'unknown fast slow']))
    })

    test('a job’s order is always the same, also of one that asks a slower one', () => {
      const explorers = jobs.filter(job => !orderOf(targets, 'fastest', job).startsWith('fast'))
      for (const job of explorers)
        expect(orderOf(targets, 'fastest', job)).toBe(orderOf(targets, 'fastest', job))
      // Whose figures change meanwhile.
      const later = targets.map(target => ({ ...target, figures: { p95Ms: 500, ...target.figures } }))
      const firstOf = (of: Named[], job: string) => orderOf(of, 'fastest', job).split(' ')[0]
      for (const job of explorers) expect(firstOf(later, job)).toBe(firstOf(targets, job))
    })

    test('asks for a stream who begins to answer first, then by whole answers, then the unknown', () => {
      const job = jobs.find(job => chanceOf(job)('explorer') > 0.5)
      const streaming = [
        { name: 'unknown' },
        { name: 'plain', figures: { p95Ms: 50 } },
        { name: 'late', figures: { p95Ms: 100, firstTokenP95Ms: 90 } },
        { name: 'slower', figures: { p95Ms: 60 } },
        { name: 'early', figures: { p95Ms: 900, firstTokenP95Ms: 20 } },
      ]
      const orderFor = (isStreamed: boolean) => orderOf(streaming, 'fastest', job, { isStreamed })
      expect(orderFor(true)).toBe('early late plain slower unknown')
      expect(orderFor(false)).toBe('plain slower late early unknown')
    })

    test('keeps to the chain until something is known', () => {
      const job = jobs.find(job => chanceOf(job)('explorer') > 0.5)
      expect(orderOf([{ name: 'z' }, { name: 'a' }], 'fastest', job)).toBe('z a')
    })
  })

  test('ordered keeps to the chain', () => {
    expect(orderOf([{ name: 'z' }, { name: 'a', price: { input: 0, output: 0 } }], 'ordered')).toBe('z a')
  })
})
