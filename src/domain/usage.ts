import type { Usage } from './job.ts'

/** US dollars per million tokens. */
export interface Price {
  readonly input: number
  readonly output: number
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

const count = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0)

/**
 * Tokens as a provider counted them, from the body of an answer in any of the endpoints' formats; null when it
 * does not say. OpenAI's chat, completions and embeddings count `prompt_tokens`, Responses and Anthropic
 * `input_tokens`; Anthropic leaves cached tokens out of that and names them beside it.
 */
export const usageOf = (answer: unknown): Usage | null => {
  const usage = isRecord(answer) ? answer.usage : undefined
  if (!isRecord(usage)) return null
  if ('prompt_tokens' in usage) {
    return { input_tokens: count(usage.prompt_tokens), output_tokens: count(usage.completion_tokens) }
  }
  const cached = count(usage.cache_creation_input_tokens) + count(usage.cache_read_input_tokens)
  return { input_tokens: count(usage.input_tokens) + cached, output_tokens: count(usage.output_tokens) }
}

/** US dollars, rounded to a hundredth of a micro-dollar so that sums stay readable; null without a price. */
export const costOf = (usage: Usage | null, price: Price | undefined): number | null => {
  if (!usage || !price) return null
  const dollars = (usage.input_tokens * price.input + usage.output_tokens * price.output) / 1_000_000
  return Math.round(dollars * 1e8) / 1e8
}
