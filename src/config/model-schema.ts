import { z } from 'zod'
import { numeric, positiveInt } from './schema-values.ts'

const price = z.strictObject({
  /** US dollars per million input tokens. */
  input: numeric(z.number().nonnegative()),
  /** US dollars per million output tokens. */
  output: numeric(z.number().nonnegative()),
})

/** Facts about a model on a provider; a route may repeat them and then wins. */
export const modelFacts = {
  upstream_model: z.string().min(1).optional(),
  /** Tokens of prompt and answer together. */
  context_window: positiveInt.optional(),
  max_output_tokens: positiveInt.optional(),
  price: price.optional(),
}

export const model = z.strictObject(modelFacts)
