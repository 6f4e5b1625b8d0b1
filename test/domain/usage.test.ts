import { describe, expect, it } from 'vitest'
import { costOf, costOfAll, savedByCacheOf, usageOf } from '../../src/domain/usage.ts'

describe('usageOf', () => {
  it.each([
    ['OpenAI chat', { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 }, [7, 3]],
    ['OpenAI embeddings, which complete nothing', { prompt_tokens: 7, total_tokens: 7 }, [7, 0]],
    ['OpenAI responses', { input_tokens: 7, output_tokens: 3 }, [7, 3]],
    [
      'Anthropic, whose cached tokens stand beside the input',
      {
        input_tokens: 5,
        cache_creation_input_tokens: 20,
        cache_read_input_tokens: 300,
        output_tokens: 3,
      },
      [325, 3],
    ],
    [
      'Anthropic, with nulls where nothing was cached',
      { input_tokens: 5, cache_read_input_tokens: null, output_tokens: 3 },
      [5, 3],
    ],
    ['counts that are no numbers', { prompt_tokens: '7', completion_tokens: Number.NaN }, [0, 0]],
  ])('reads %s', (_, usage, [input_tokens, output_tokens]) => {
    expect(usageOf({ usage })).toMatchObject({ input_tokens, output_tokens })
  })

  it.each([
    [
      'OpenAI chat',
      { prompt_tokens: 9, completion_tokens: 3, prompt_tokens_details: { cached_tokens: 5 } },
      [9, 5, 0],
    ],
    [
      'OpenAI responses',
      { input_tokens: 9, output_tokens: 3, input_tokens_details: { cached_tokens: 5 } },
      [9, 5, 0],
    ],
    [
      'Anthropic',
      { input_tokens: 1, output_tokens: 3, cache_read_input_tokens: 5, cache_creation_input_tokens: 3 },
      [9, 5, 3],
    ],
    [
      'what was Anthropic’s, in OpenAI’s words',
      {
        prompt_tokens: 9,
        completion_tokens: 3,
        prompt_tokens_details: { cached_tokens: 5, cache_write_tokens: 3 },
      },
      [9, 5, 3],
    ],
  ])('tells cached tokens of %s', (_, usage, [input, read, write]) => {
    expect(usageOf({ usage })).toEqual({
      input_tokens: input,
      output_tokens: 3,
      cache_read_tokens: read,
      ...(write! > 0 && { cache_write_tokens: write }),
    })
  })

  it.each([[undefined], [null], ['text'], [{}], [{ usage: null }], [{ usage: 'none' }]])(
    'is null for %j, which does not say',
    answer => {
      expect(usageOf(answer)).toBeNull()
    },
  )
})

describe('costOf', () => {
  it.each([
    [
      'dollars per million tokens',
      { input_tokens: 20, output_tokens: 2 },
      { input: 10, output: 30 },
      0.00026,
    ],
    ['nothing for a free model', { input_tokens: 20, output_tokens: 2 }, { input: 0, output: 0 }, 0],
    // 0.1 * 3 would be 0.30000000000000004e-6
    ['a rounded sum', { input_tokens: 3, output_tokens: 0 }, { input: 0.1, output: 0 }, 3e-7],
  ])('counts %s', (_, usage, price, dollars) => {
    expect(costOf(usage, price)).toBe(dollars)
  })

  const cached = {
    input_tokens: 1_000_000,
    output_tokens: 0,
    cache_read_tokens: 500_000,
    cache_write_tokens: 100_000,
  }
  it.each([
    ['at their own price', { input: 10, output: 1, cache_read: 1, cache_write: 20 }, 4 + 0.5 + 2],
    ['at that of the input where there is no other', { input: 10, output: 1 }, 10],
    [
      'at the price of long prompts',
      { input: 1, output: 1, tiers: [{ above: 999_999, input: 2, output: 9 }] },
      2,
    ],
    [
      'at the price of short ones',
      { input: 1, output: 1, tiers: [{ above: 1_000_000, input: 2, output: 9 }] },
      1,
    ],
  ])('counts cached tokens %s', (_, price, dollars) => {
    expect(costOf(cached, price)).toBe(dollars)
  })

  it.each([
    [
      'what cached tokens would have cost as input',
      { input: 10, output: 1, cache_read: 1, cache_write: 20 },
      4.5,
    ],
    ['nothing where their price is not known', { input: 10, output: 1 }, 0],
    ['nothing where they cost more', { input: 1, output: 1, cache_read: 2 }, 0],
    [
      'by the prices of long prompts',
      { input: 10, output: 1, tiers: [{ above: 999_999, input: 4, output: 9, cache_read: 2 }] },
      1,
    ],
  ])('says that a cache saved %s', (_, price, dollars) => {
    expect(savedByCacheOf(cached, price)).toBe(dollars)
    expect(savedByCacheOf(cached, undefined)).toBe(0)
    expect(savedByCacheOf({ input_tokens: 1, output_tokens: 1 }, price)).toBe(0)
  })

  it('sums up what is known of a job’s calls', () => {
    expect(costOfAll([{ cost_usd: 0.1 }, {}, { cost_usd: 0.2 }])).toBe(0.3)
    expect(costOfAll([{}, {}])).toBeNull()
  })

  it('is null without a price or without a count', () => {
    expect(costOf({ input_tokens: 1, output_tokens: 1 }, undefined)).toBeNull()
    expect(costOf(null, { input: 1, output: 1 })).toBeNull()
  })
})
