import type { Usage } from './job.ts'

/** US dollars per million tokens. A price of cached tokens that is not known is that of the input. */
interface Rates {
  readonly input: number
  readonly output: number
  readonly cache_read?: number | undefined
  readonly cache_write?: number | undefined
}

/** Prices of requests whose input has more tokens than this; they hold for all of the request. */
export interface TieredPrice extends Rates {
  readonly above: number
}

export interface Price extends Rates {
  /** In rising order. */
  readonly tiers?: readonly TieredPrice[] | undefined
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

const count = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0)

const countIn = (details: unknown, name: string): number => (isRecord(details) ? count(details[name]) : 0)

/** Cached tokens are shown only where there are any. */
const usage = (input: number, output: number, cacheRead: number, cacheWrite: number): Usage => ({
  input_tokens: input,
  output_tokens: output,
  ...(cacheRead > 0 && { cache_read_tokens: cacheRead }),
  ...(cacheWrite > 0 && { cache_write_tokens: cacheWrite }),
})

/**
 * Tokens as a provider counted them, from the body of an answer in any of the endpoints' formats; null when
 * it does not say. OpenAI's chat, completions and embeddings count `prompt_tokens`, Responses and Anthropic
 * `input_tokens`; Anthropic leaves cached tokens out of that and names them beside it.
 */
export const usageOf = (answer: unknown): Usage | null => {
  const told = isRecord(answer) ? answer.usage : undefined
  if (!isRecord(told)) return null
  if ('prompt_tokens' in told) {
    const { prompt_tokens: input, completion_tokens: output, prompt_tokens_details: details } = told
    return usage(
      count(input),
      count(output),
      countIn(details, 'cached_tokens'),
      countIn(details, 'cache_write_tokens'),
    )
  }
  const { input_tokens: input, output_tokens: output, input_tokens_details: details } = told
  const read = count(told.cache_read_input_tokens)
  const write = count(told.cache_creation_input_tokens)
  const within = countIn(details, 'cached_tokens')
  return usage(count(input) + read + write, count(output), read + within, write)
}

/** Costs are rounded to, and added up as, whole hundred-millionths of a dollar. */
export const costUnits = 1e8

const rounded = (dollars: number): number => Math.round(dollars * costUnits) / costUnits

const ratesOf = (price: Price, input: number): Rates =>
  price.tiers?.findLast(tier => input > tier.above) ?? price

/** US dollars that the tokens from a provider's cache would have cost more as input; 0 where a price is not known. */
export const savedByCacheOf = (usage: Usage | null, price: Price | undefined): number => {
  if (!usage || !price) return 0
  const { input, cache_read: read = input } = ratesOf(price, usage.input_tokens)
  return rounded(((usage.cache_read_tokens ?? 0) * Math.max(0, input - read)) / 1_000_000)
}

/** US dollars, rounded to a hundredth of a micro-dollar so that sums stay readable; null without a price. */
export const costOf = (usage: Usage | null, price: Price | undefined): number | null => {
  if (!usage || !price) return null
  const {
    input_tokens: input,
    output_tokens: output,
    cache_read_tokens: read = 0,
    cache_write_tokens: write = 0,
  } = usage
  const rates = ratesOf(price, input)
  const fresh = Math.max(0, input - read - write)
  const inputCost =
    fresh * rates.input +
    read * (rates.cache_read ?? rates.input) +
    write * (rates.cache_write ?? rates.input)
  return rounded((inputCost + output * rates.output) / 1_000_000)
}

/** What all calls of a job cost together, as far as known; null when no cost is known. */
export const costOfAll = (attempts: readonly { readonly cost_usd?: number }[]): number | null => {
  const costs = attempts.flatMap(attempt => attempt.cost_usd ?? [])
  return costs.length === 0 ? null : rounded(costs.reduce((sum, cost) => sum + cost, 0))
}
