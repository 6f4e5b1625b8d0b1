import { z } from 'zod'
import { capabilities as names } from '../domain/routing/capabilities.ts'
import { flag, numeric, oneLine, positiveInt } from './schema-values.ts'

const price = z.strictObject({
  /** US dollars per million input tokens. */
  input: numeric(z.number().nonnegative()),
  /** US dollars per million output tokens. */
  output: numeric(z.number().nonnegative()),
  /**
   * The price of input that the provider read from its cache, and wrote to it; that of `input` by default.
   */
  cache_read: numeric(z.number().nonnegative()).optional(),
  cache_write: numeric(z.number().nonnegative()).optional(),
})

const all = [...names, 'reasoning'] as const

const only = z.array(z.enum(all))

/**
 * Written as a table, it says yes or no to what it names; as a list, no to all that it leaves out. But for `reasoning`: lists
 * from before it had a name must not take it from the models that are known to think.
 */
const capabilities = z.preprocess(
  value => {
    const listed = only.safeParse(value)
    if (!listed.success) return value
    const told = listed.data.includes('reasoning') ? all : names
    return Object.fromEntries(told.map(name => [name, listed.data.includes(name)]))
  },
  z.strictObject(
    Object.fromEntries(all.map(name => [name, flag.optional()])) as Record<
      (typeof all)[number],
      z.ZodOptional<typeof flag>
    >,
    `expected a table such as {vision: false}, or a list of: ${all.join(', ')}`,
  ),
)

/** Facts about a model on a provider; a route may repeat them and then wins. */
export const modelFacts = {
  upstream_model: oneLine.optional(),
  /** Tokens of prompt and answer together. */
  context_window: positiveInt.optional(),
  max_output_tokens: positiveInt.optional(),
  /** What it can do; what is not said is tried. */
  capabilities: capabilities.optional(),
  price: price.optional(),
}

export const model = z.strictObject(modelFacts)
